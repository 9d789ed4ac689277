#include "common/base/bytes.h"

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

TEST(Bytes, NumbersAreLittleEndian) {
  std::string out;
  Writer w(out);
  w.number<std::uint8_t>(0xab);
  w.number<std::uint16_t>(0x0102);
  w.number<std::uint32_t>(0x03040506);
  w.number<std::uint64_t>(0x0708090a0b0c0d0eULL);
  EXPECT_EQ(out, std::string("\xab\x02\x01\x06\x05\x04\x03\x0e\x0d\x0c\x0b\x0a\x09\x08\x07", 15));
}

TEST(Bytes, WhatIsWrittenIsReadAgain) {
  std::string out;
  Writer w(out);
  w.number<std::uint64_t>(0xfedcba9876543210ULL);
  w.bytes(std::string_view("a\0b", 3));
  w.bytes("");
  w.number<std::uint16_t>(0xffff);
  Reader r(out);
  EXPECT_EQ(r.number<std::uint64_t>(), 0xfedcba9876543210ULL);
  EXPECT_EQ(r.bytes(), std::string_view("a\0b", 3));
  EXPECT_EQ(r.bytes(), "");
  EXPECT_EQ(r.number<std::uint16_t>(), 0xffff);
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.left(), 0u);
}

TEST(Bytes, AShortReadSpoilsAllThatFollows) {
  Reader r(std::string_view("\x01\x02\x03", 3));
  EXPECT_EQ(r.number<std::uint32_t>(), 0u);
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.number<std::uint8_t>(), 0);
  EXPECT_EQ(r.take(1), "");
  EXPECT_FALSE(r.ok());
}

TEST(Bytes, ALengthBeyondTheEndIsRefused) {
  std::string out;
  Writer w(out);
  w.number<std::uint32_t>(0xffffffff);
  out += "abc";
  Reader r(out);
  EXPECT_EQ(r.bytes(), "");
  EXPECT_FALSE(r.ok());
}

TEST(Bytes, ADecoderCanRefuse) {
  Reader r("abc");
  r.refuse();
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.take(1), "");
}

}  // namespace
}  // namespace holdfast::base
