// SipHash-2-4 (Aumasson, Bernstein 2012): a 64-bit keyed checksum that nobody without the key can make.
// Segments use it so that no mail body can pass for a record (design.md section 4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::base {

using HashKey = std::array<std::uint64_t, 2>;

class SipHash {
 public:
  explicit SipHash(const HashKey& key);

  // Pieces may come in any sizes: the result is that of their concatenation.
  void update(std::string_view bytes);
  std::uint64_t finish();

 private:
  void absorb(std::uint64_t word);
  void round();

  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t pending_ = 0;  // bytes that do not fill a word yet, lowest first
  std::uint64_t length_ = 0;
};

std::uint64_t siphash(const HashKey& key, std::string_view bytes);

}  // namespace holdfast::base
