#include "common/base/siphash.h"

#include <string>

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

// The paper's key is the bytes 00 01 … 0f, read as two little-endian words (appendix A).
constexpr HashKey kPaperKey{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

std::string counting(std::size_t length) {
  std::string out;
  for (std::size_t i = 0; i < length; ++i) out.push_back(static_cast<char>(i));
  return out;
}

// Appendix A's example, and others of the authors' reference vectors (vectors.h, vectors_sip64, whose
// bytes are in little-endian order).
TEST(SipHash, AgreesWithThePaper) { EXPECT_EQ(siphash(kPaperKey, counting(15)), 0xa129ca6149be45e5ULL); }

TEST(SipHash, AgreesWithTheReferenceVectors) {
  EXPECT_EQ(siphash(kPaperKey, ""), 0x726fdb47dd0e0e31ULL);
  EXPECT_EQ(siphash(kPaperKey, counting(1)), 0x74f839c593dc67fdULL);
  EXPECT_EQ(siphash(kPaperKey, counting(2)), 0x0d6c8009d9a94f5aULL);
  EXPECT_EQ(siphash(kPaperKey, counting(3)), 0x85676696d7fb7e2dULL);
  EXPECT_EQ(siphash(kPaperKey, counting(7)), 0xab0200f58b01d137ULL);
  EXPECT_EQ(siphash(kPaperKey, counting(8)), 0x93f5f5799a932462ULL);
  EXPECT_EQ(siphash(kPaperKey, counting(63)), 0x958a324ceb064572ULL);
}

TEST(SipHash, PiecesOfAnySizeGiveTheSameSum) {
  const std::string text = counting(200);
  const auto whole = siphash(kPaperKey, text);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    SipHash hash(kPaperKey);
    for (std::size_t at = 0; at < text.size(); at += piece) hash.update(std::string_view(text).substr(at, piece));
    ASSERT_EQ(hash.finish(), whole) << "in pieces of " << piece;
  }
}

TEST(SipHash, EveryBitOfTextAndKeyCounts) {
  const std::string text = counting(21);
  const auto whole = siphash(kPaperKey, text);
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string other = text;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_NE(siphash(kPaperKey, other), whole) << "bit " << bit;
  }
  for (std::size_t bit = 0; bit < 128; ++bit) {
    HashKey other = kPaperKey;
    other[bit / 64] ^= 1ULL << (bit % 64);
    ASSERT_NE(siphash(other, text), whole) << "key bit " << bit;
  }
}

}  // namespace
}  // namespace holdfast::base
