#include "common/smtp/chunk_encoder.h"

#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "common/mail/wire_format.h"

namespace holdfast::smtp {
namespace {

struct Encoded {
  std::string wire;
  std::uint64_t octets = 0;
  bool bare = false;
  bool operator==(const Encoded&) const = default;
};

Encoded encode(std::string_view content, BareNewline mode, const std::function<std::size_t()>& cut) {
  ChunkEncoder encoder(mode);
  Encoded out;
  while (!content.empty()) {
    const std::string copy(content.substr(0, cut()));  // its own memory: what is read behind it would show
    content.remove_prefix(copy.size());
    std::string_view in = copy;
    while (const auto piece = encoder.next(in)) out.wire += *piece;
    EXPECT_TRUE(in.empty());
  }
  if (const auto piece = encoder.finish()) out.wire += *piece;
  return {out.wire, encoder.octets(), encoder.bare_newline()};
}

Encoded encode_all_ways(std::string_view content, BareNewline mode) {
  const Encoded whole = encode(content, mode, [] { return std::string::npos; });
  if (mode == BareNewline::kReject && whole.bare) return whole;  // how much came out before depends on the pieces
  EXPECT_EQ(encode(content, mode, [] { return std::size_t{1}; }), whole);
  std::mt19937 random(7);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(encode(content, mode, [&] { return 1 + random() % 9; }), whole);
  return whole;
}

TEST(ChunkEncoder, StuffsDotsAtLineStartsOnly) {
  EXPECT_EQ(encode_all_ways(".\r\n..\r\na.\r\n", BareNewline::kReject).wire, "..\r\n...\r\na.\r\n");
  EXPECT_EQ(encode_all_ways(".\r\n..\r\na.\r\n", BareNewline::kReject).octets, 11U);
}

TEST(ChunkEncoder, EndsTheLastLine) {
  EXPECT_EQ(encode_all_ways("a", BareNewline::kReject).wire, "a\r\n");
  EXPECT_EQ(encode_all_ways("a\r\n", BareNewline::kReject).wire, "a\r\n");
  EXPECT_EQ(encode_all_ways("", BareNewline::kReject).wire, "");
  EXPECT_EQ(encode_all_ways(".", BareNewline::kReject).wire, "..\r\n");
}

TEST(ChunkEncoder, SeesEachBareLineEnd) {
  for (const std::string_view content : {"a\nb", "a\rb", "\n", "\r", "a\r\r\n", "a\n\r\n", "a\r", "\r\n\n", "abcdefgh\nabcdefgh\r\n"}) {
    EXPECT_TRUE(encode_all_ways(content, BareNewline::kReject).bare) << content;
    EXPECT_TRUE(encode_all_ways(content, BareNewline::kNormalize).bare) << content;
  }
  EXPECT_FALSE(encode_all_ways("a\r\nb\r\n", BareNewline::kReject).bare);
}

TEST(ChunkEncoder, NormalizesWithoutLeavingAnEnd) {
  EXPECT_EQ(encode_all_ways("a\n.\nb\r.\r\nc\r", BareNewline::kNormalize).wire, "a\r\n..\r\nb\r\n..\r\nc\r\n");
}

TEST(ChunkEncoder, WhatComesOutIsWhatCameIn) {
  std::mt19937 random(20261122);
  for (int round = 0; round < 2000; ++round) {
    std::string content;
    for (auto n = random() % 40; n > 0; --n) content += std::string_view("\r\n..ab\r\n\r\n.").substr(random() % 11, 1 + random() % 3);
    const Encoded got = encode_all_ways(content, BareNewline::kNormalize);
    EXPECT_EQ(("\r\n" + got.wire).find("\r\n.\r\n"), std::string::npos);
    EXPECT_TRUE(got.wire.empty() || got.wire.ends_with("\r\n"));
    if (!got.bare && content.ends_with("\r\n")) {
      EXPECT_EQ(mail::from_wire(got.wire), content);
    }
  }
}

}  // namespace
}  // namespace holdfast::smtp
