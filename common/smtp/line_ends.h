// Where content has line ends: shared by what decodes DATA and what encodes BDAT.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace holdfast::smtp {

inline constexpr std::string_view kCrLf = "\r\n";

// The first `n` bytes of `in`, which gets the rest.
inline std::string_view take(std::string_view& in, std::size_t n) {
  const std::string_view out = in.substr(0, n);
  in.remove_prefix(n);
  return out;
}

// The high bit of each byte of `word` that is `byte`, exact for the lowest of them (those above it may be false).
constexpr std::uint64_t matches(std::uint64_t word, char byte) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  const std::uint64_t zero_there = word ^ (kOnes * static_cast<unsigned char>(byte));
  return (zero_there - kOnes) & ~zero_there & (kOnes << 7);
}

// Where the next CR or LF at or behind `from` is; the size if there is none. Eight bytes a step: two memchr() would
// each run far past the other's find.
inline std::size_t find_line_end(std::string_view s, std::size_t from) {
  for (; from + 8 <= s.size(); from += 8) {
    std::uint64_t word;
    std::memcpy(&word, s.data() + from, 8);
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    if (const auto found = matches(word, '\r') | matches(word, '\n'); found != 0) {
      return from + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
  }
  while (from < s.size() && s[from] != '\r' && s[from] != '\n') ++from;
  return from;
}

}  // namespace holdfast::smtp
