#include "common/smtp/data_decoder.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace holdfast::smtp {
namespace {

struct Result {
  std::string wire;
  std::string left;
  std::uint64_t octets = 0;
  bool ended = false;
  bool bare = false;
  bool operator==(const Result&) const = default;
};

void PrintTo(const Result& r, std::ostream* out) {
  *out << testing::PrintToString(r.wire) << " left " << testing::PrintToString(r.left) << " octets " << r.octets
       << (r.ended ? " ended" : "") << (r.bare ? " bare" : "");
}

// Feeds `bytes` in pieces whose sizes `cut` says.
template <class Cut>
Result decode(std::string_view bytes, BareNewline mode, Cut cut) {
  DataDecoder decoder(mode);
  Result out;
  while (!bytes.empty() && !decoder.ended()) {
    const std::string piece(bytes.substr(0, cut()));  // memory of its own: a view kept too long shows in ASan
    std::string_view in = piece;
    while (const auto content = decoder.next(in)) {
      EXPECT_FALSE(content->empty());
      out.wire += *content;
    }
    bytes.remove_prefix(piece.size() - in.size());
    EXPECT_TRUE(in.empty() || decoder.ended());
  }
  out.left = bytes;
  out.octets = decoder.octets();
  out.ended = decoder.ended();
  out.bare = decoder.bare_newline();
  return out;
}

Result whole(std::string_view bytes, BareNewline mode = BareNewline::kReject) {
  return decode(bytes, mode, [] { return std::string_view::npos; });
}

TEST(DataDecoder, PassesLines) {
  EXPECT_EQ(whole("Subject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n"),
            (Result{"Subject: x\r\n\r\nbody\r\n", "QUIT\r\n", 20, true, false}));
}

TEST(DataDecoder, GivesOneViewOfTheInput) {
  const std::string bytes = "a\r\nb\r\n..c\r\nd\r\n.\r\n";
  std::string_view in = bytes;
  DataDecoder decoder(BareNewline::kReject);
  const auto piece = decoder.next(in);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->data(), bytes.data());
  EXPECT_EQ(*piece, "a\r\nb\r\n..c\r\nd\r\n");
  EXPECT_FALSE(decoder.next(in));
  EXPECT_TRUE(decoder.ended());
}

TEST(DataDecoder, EmptyContent) { EXPECT_EQ(whole(".\r\nx"), (Result{"", "x", 0, true, false})); }

TEST(DataDecoder, DotsAtLineStarts) {
  EXPECT_EQ(whole("..\r\n...\r\n..a\r\n.\r\n"), (Result{"..\r\n...\r\n..a\r\n", "", 11, true, false}));
  // RFC 5321 section 4.5.2: a leading dot with more behind it is deleted.
  EXPECT_EQ(whole(".a\r\n. \r\n.\r\n"), (Result{"a\r\n \r\n", "", 6, true, false}));
  EXPECT_EQ(whole("a.\r\n.\r\n"), (Result{"a.\r\n", "", 4, true, false}));
}

TEST(DataDecoder, OnlyCrLfDotCrLfEnds) {
  for (const std::string_view bytes :
       {"a\n.\n", "a\r\n.\n", "a\n.\r\n", "a\r.\r", "a\r\n.\r", "a\r.\r\n", "a\r\n.\r\r\n", ".\n", "a\r\n.\rb\r\n",
        "\r.\r\n", "\n.\r\n", "a\r\n..\r\n", "a\r\n. \r\n", "a .\r\n"}) {
    EXPECT_FALSE(whole(bytes).ended) << testing::PrintToString(bytes);
    EXPECT_FALSE(whole(bytes, BareNewline::kNormalize).ended) << testing::PrintToString(bytes);
  }
}

TEST(DataDecoder, RejectGivesNothingAfterABareNewline) {
  EXPECT_EQ(whole("a\r\nb\nc\r\n.\r\nX").wire, "a\r\nb");
  EXPECT_TRUE(whole("a\r\nb\nc\r\n.\r\nX").bare);
  EXPECT_EQ(whole("a\r\nb\nc\r\n.\r\nX").left, "X");
  EXPECT_TRUE(whole("a\rb\r\n.\r\n").bare);
  EXPECT_TRUE(whole("a\r\n.\n\r\n.\r\n").bare);
  EXPECT_FALSE(whole("a\r\n.\r\n\n").bare);
}

TEST(DataDecoder, NormalizeMakesCrLf) {
  const auto wire = [](std::string_view bytes) { return whole(bytes, BareNewline::kNormalize).wire; };
  EXPECT_EQ(wire("a\nb\r\n.\r\n"), "a\r\nb\r\n");
  EXPECT_EQ(wire("a\rb\r\n.\r\n"), "a\r\nb\r\n");
  EXPECT_EQ(wire("a\r\r\n.\r\n"), "a\r\n\r\n");
  EXPECT_EQ(wire("\n\n\r\n.\r\n"), "\r\n\r\n\r\n");
  // A dot behind such a line end is text: it stays, doubled, and never ends the content.
  EXPECT_EQ(wire("a\n.\nb\r\n.\r\n"), "a\r\n..\r\nb\r\n");
  EXPECT_EQ(wire("a\n.\r\nb\r\n.\r\n"), "a\r\n..\r\nb\r\n");
  EXPECT_EQ(wire("a\n..b\r\n.\r\n"), "a\r\n...b\r\n");
  EXPECT_EQ(wire("a\r\n.\nb\r\n.\r\n"), "a\r\n\r\nb\r\n");
  EXPECT_EQ(wire("a\r\n.\rb\r\n.\r\n"), "a\r\n\r\nb\r\n");
}

TEST(DataDecoder, LongLinesAndEveryByte) {
  std::string line;
  for (int i = 0; i < 12'000; ++i) {
    const char c = static_cast<char>(i % 256);
    line.push_back(c == '\r' || c == '\n' ? '_' : c);
  }
  const std::string bytes = line + "\r\n" + line + "\r\n.\r\n";
  const Result result = whole(bytes);
  EXPECT_EQ(result.wire, line + "\r\n" + line + "\r\n");
  EXPECT_EQ(result.octets, 24'004u);
}

// The same, written as plainly as can be: a byte at a time over the whole input.
Result plainly(std::string_view s, BareNewline mode) {
  Result out;
  bool hard_start = true;
  bool soft_start = false;
  const auto put = [&](std::string_view piece, std::size_t octets) {
    out.octets += octets;
    if (!out.bare || mode == BareNewline::kNormalize) out.wire += piece;
  };
  std::size_t i = 0;
  while (i < s.size()) {
    if (hard_start && s.substr(i).starts_with(".\r\n")) {
      out.ended = true;
      i += 3;
      break;
    }
    if (hard_start && s[i] == '.') {
      ++i;
      if (i < s.size() && s[i] == '.') put("..", 1), ++i;
      hard_start = false;
      if (i == s.size()) break;
      continue;
    }
    if (s.substr(i).starts_with("\r\n")) {
      put("\r\n", 2);
      i += 2;
      hard_start = true;
      soft_start = false;
      continue;
    }
    hard_start = false;
    if (s[i] == '\r' || s[i] == '\n') {
      if (i + 1 == s.size() && s[i] == '\r') break;  // undecided
      out.bare = true;
      put("\r\n", 2);
      soft_start = mode == BareNewline::kNormalize;
    } else if (soft_start && s[i] == '.') {
      put("..", 1);
      soft_start = false;
    } else {
      put(s.substr(i, 1), 1);
      soft_start = false;
    }
    ++i;
  }
  out.left = s.substr(i);
  return out;
}

TEST(DataDecoder, AgreesWithThePlainOneInAnySplit) {
  std::mt19937 random(20261122);
  const std::string_view alphabet = "ab..\r\n\r\n";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (std::size_t n = random() % 60; n > 0; --n) {
      // Mostly whole line ends, or nothing but refusals would be seen.
      if (random() % 3 == 0) {
        bytes += "\r\n";
      } else {
        bytes.push_back(alphabet[random() % alphabet.size()]);
      }
    }
    bytes += "\r\n.\r\nREST";
    for (const BareNewline mode : {BareNewline::kReject, BareNewline::kNormalize}) {
      const Result expected = plainly(bytes, mode);
      ASSERT_EQ(whole(bytes, mode), expected) << testing::PrintToString(bytes);
      ASSERT_EQ(decode(bytes, mode, [] { return 1; }), expected) << testing::PrintToString(bytes);
      ASSERT_EQ(decode(bytes, mode, [&] { return 1 + random() % 12; }), expected) << testing::PrintToString(bytes);
    }
  }
}

TEST(DataDecoder, WhatComesOutIsCanonical) {
  std::mt19937 random(7);
  const std::string_view alphabet = "a.\r\n";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (int n = 0; n < 40; ++n) bytes.push_back(alphabet[random() % alphabet.size()]);
    bytes += "\r\n.\r\n";
    const Result first = whole(bytes, BareNewline::kNormalize);
    ASSERT_TRUE(first.ended);
    ASSERT_TRUE(first.wire.empty() || first.wire.ends_with("\r\n"));
    // Sent on, it is read by the strictest as the same content, and ends where it ends.
    const Result again = whole(first.wire + ".\r\n");
    ASSERT_FALSE(again.bare);
    ASSERT_EQ(again.wire, first.wire);
    ASSERT_EQ(again.octets, first.octets);
    ASSERT_EQ(again.left, "");
  }
}

}  // namespace
}  // namespace holdfast::smtp
