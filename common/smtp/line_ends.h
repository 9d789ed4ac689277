// Where content has line ends: shared by what decodes DATA and what encodes BDAT.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace holdfast::smtp {

inline constexpr std::string_view kCrLf = "\r\n";

// Where the next CR or LF at or behind `from` is; the size if there is none. Eight bytes a step: two memchr() would
// each run far past the other's find.
inline std::size_t find_line_end(std::string_view s, std::size_t from) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  // Some byte of `word` is zero (the classic test; exact for "any").
  const auto has_zero = [](std::uint64_t word) { return ((word - kOnes) & ~word & (kOnes << 7)) != 0; };
  while (from + 8 <= s.size()) {
    std::uint64_t word;
    std::memcpy(&word, s.data() + from, 8);
    if (has_zero(word ^ (kOnes * '\r')) || has_zero(word ^ (kOnes * '\n'))) break;
    from += 8;
  }
  while (from < s.size() && s[from] != '\r' && s[from] != '\n') ++from;
  return from;
}

}  // namespace holdfast::smtp
