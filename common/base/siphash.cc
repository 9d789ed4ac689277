#include "common/base/siphash.h"

#include <bit>
#include <cstring>

namespace holdfast::base {
namespace {

std::uint64_t load(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

SipHash::SipHash(const HashKey& key)
    : v0_(key[0] ^ 0x736f6d6570736575ULL),
      v1_(key[1] ^ 0x646f72616e646f6dULL),
      v2_(key[0] ^ 0x6c7967656e657261ULL),
      v3_(key[1] ^ 0x7465646279746573ULL) {}

void SipHash::round() {
  v0_ += v1_; v1_ = std::rotl(v1_, 13); v1_ ^= v0_; v0_ = std::rotl(v0_, 32);
  v2_ += v3_; v3_ = std::rotl(v3_, 16); v3_ ^= v2_;
  v0_ += v3_; v3_ = std::rotl(v3_, 21); v3_ ^= v0_;
  v2_ += v1_; v1_ = std::rotl(v1_, 17); v1_ ^= v2_; v2_ = std::rotl(v2_, 32);
}

void SipHash::absorb(std::uint64_t word) {
  v3_ ^= word;
  round();
  round();
  v0_ ^= word;
}

void SipHash::update(std::string_view bytes) {
  const char* p = bytes.data();
  std::size_t n = bytes.size();
  while (n > 0 && length_ % 8 != 0) {
    pending_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(*p++)) << (8 * (length_++ % 8));
    --n;
    if (length_ % 8 == 0) {
      absorb(pending_);
      pending_ = 0;
    }
  }
  for (; n >= 8; n -= 8, p += 8, length_ += 8) absorb(load(p));
  for (; n > 0; --n) {
    pending_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(*p++)) << (8 * (length_++ % 8));
  }
}

std::uint64_t SipHash::finish() {
  absorb(pending_ | (length_ << 56));
  v2_ ^= 0xff;
  for (int i = 0; i < 4; ++i) round();
  return v0_ ^ v1_ ^ v2_ ^ v3_;
}

std::uint64_t siphash(const HashKey& key, std::string_view bytes) {
  SipHash hash(key);
  hash.update(bytes);
  return hash.finish();
}

}  // namespace holdfast::base
