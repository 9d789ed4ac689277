#include "common/milter/content_feed.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/milter/filter_session.h"

namespace holdfast::milter {
namespace {

struct Seen {
  std::vector<Field> fields;
  std::string body;
  std::size_t longest = 0;
  std::uint64_t body_begins = 0;
  std::string order;  // a letter a part: h, e, b, .
  bool operator==(const Seen&) const = default;
};

void look(ContentFeed& feed, Seen& seen) {
  while (auto part = feed.next()) {
    switch (part->stage) {
      case Stage::kHeader:
        seen.fields.push_back(std::move(part->field));
        seen.order.push_back('h');
        break;
      case Stage::kEndOfHeader:
        seen.body_begins = feed.body_begins();
        seen.order.push_back('e');
        break;
      case Stage::kBody:
        seen.longest = std::max(seen.longest, part->chunk.size());
        seen.body += part->chunk;
        seen.order.push_back('b');
        break;
      default: seen.order.push_back('.');
    }
  }
}

Seen fed(std::string_view wire, std::size_t piece) {
  ContentFeed feed;
  Seen seen;
  while (!wire.empty()) {
    const std::size_t count = std::min(piece, wire.size());
    feed.give(wire.substr(0, count));
    wire.remove_prefix(count);
    look(feed, seen);
  }
  feed.end();
  look(feed, seen);
  return seen;
}

// Fed whole; and the same in pieces of 1 to 7 bytes.
Seen fed(std::string_view wire) {
  const Seen whole = fed(wire, wire.size() + 1);
  for (std::size_t piece = 1; piece < 8; ++piece) EXPECT_EQ(fed(wire, piece), whole) << wire << " in pieces of " << piece;
  return whole;
}

TEST(ContentFeed, FieldsThenBody) {
  const auto seen = fed("From: a@b\r\nSubject:  two\r\n\tlines\r\n\r\nOne\r\n..dot\r\n");
  EXPECT_EQ(seen.fields, (std::vector<Field>{{"From", " a@b"}, {"Subject", "  two\n\tlines"}}));
  EXPECT_EQ(seen.body, "One\r\n.dot\r\n");
  EXPECT_EQ(seen.order, "hheb.");
  EXPECT_EQ(seen.body_begins, 36u);
}

TEST(ContentFeed, WithoutABody) {
  EXPECT_EQ(fed("A: b\r\n").order, "he.");
  EXPECT_EQ(fed("A: b\r\n\r\n").order, "he.");
  EXPECT_EQ(fed("").order, "e.");
  EXPECT_EQ(fed("\r\n").order, "e.");
}

TEST(ContentFeed, ALineThatIsNoFieldEndsTheHeader) {
  const auto seen = fed("A: b\r\nno field\r\nC: d\r\n");
  EXPECT_EQ(seen.order, "heb.");
  EXPECT_EQ(seen.body, "no field\r\nC: d\r\n");
  EXPECT_EQ(seen.body_begins, 6u);
  EXPECT_EQ(fed(" begins with a blank\r\n").body, " begins with a blank\r\n");
}

TEST(ContentFeed, DotsAreSingleAgain) {
  EXPECT_EQ(fed("\r\n..\r\n...\r\na..b\r\n..x\r\n").body, ".\r\n..\r\na..b\r\n.x\r\n");
  EXPECT_EQ(fed("..A: b\r\n\r\n").fields, (std::vector<Field>{{".A", " b"}}));
}

TEST(ContentFeed, ALongBodyInChunks) {
  std::string wire = "A: b\r\n\r\n";
  std::string plain;
  for (int i = 0; i < 5000; ++i) {
    wire += "..0123456789012345678901234567890123456789\r\n";
    plain += ".0123456789012345678901234567890123456789\r\n";
  }
  const auto seen = fed(wire, 1000);
  EXPECT_EQ(seen.body, plain);
  EXPECT_EQ(seen.longest, FilterSession::kBodyChunk);
  EXPECT_EQ(seen.order, "hebbbb.");
  EXPECT_EQ(fed(wire, wire.size()), seen);
}

TEST(ParseField, NamesAreOfPrintableAscii) {
  EXPECT_EQ(parse_field("A :b\r\n"), (Field{"A", "b"}));
  EXPECT_FALSE(parse_field(": b\r\n"));
  EXPECT_FALSE(parse_field("A b: c\r\n"));
  EXPECT_FALSE(parse_field("\xC3\xA4: c\r\n"));
  EXPECT_FALSE(parse_field("no colon\r\n here: x\r\n"));
}

}  // namespace
}  // namespace holdfast::milter
