#include "common/milter/packet.h"

#include <gtest/gtest.h>

#include "tests/unit/milter/packets.h"

namespace holdfast::milter {
namespace {

using namespace std::string_literals;

TEST(Packet, HasItsLengthInFront) {
  EXPECT_EQ(packet('c'), "\0\0\0\1c"s);
  EXPECT_EQ(packet('H', texts({"mx"})), "\0\0\0\4Hmx\0"s);
}

TEST(Packet, InAnyPieces) {
  const std::string all = packet('c') + packet('h', texts({"X-A", "1"})) + packet('a');
  const Packets expected{{'c', ""}, {'h', "X-A\0001\0"s}, {'a', ""}};
  EXPECT_EQ(packets_of(all), expected);
  PacketReader reader;
  Packets seen;
  for (const char c : all) {
    reader.receive({&c, 1});
    while (const auto one = reader.next()) seen.emplace_back(one->kind, std::string(one->data));
  }
  EXPECT_EQ(seen, expected);
}

TEST(Packet, OfALengthThatCannotBe) {
  for (const std::string& head : {"\0\0\0\0"s, "\xff\xff\xff\xff"s, "\0\x7f\xff\xff"s}) {
    PacketReader reader;
    reader.receive(head + "c");
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.broken());
    reader.receive(packet('c'));
    EXPECT_FALSE(reader.next()) << "nothing comes after it";
  }
}

TEST(Fields, EndWithTheirData) {
  const std::string data = number(0x01020304) + texts({"one", ""});
  Fields fields(data);
  EXPECT_EQ(fields.number(), 0x01020304u);
  EXPECT_EQ(fields.text(), "one");
  EXPECT_EQ(fields.text(), "");
  EXPECT_TRUE(fields.ok());
  EXPECT_TRUE(fields.empty());
  EXPECT_EQ(fields.text(), "");
  EXPECT_FALSE(fields.ok());
}

TEST(Fields, ATextWithoutItsEnd) {
  Fields fields("abc");
  EXPECT_EQ(fields.text(), "");
  EXPECT_FALSE(fields.ok());
  EXPECT_EQ(fields.number(), 0u);
}

TEST(Fields, ATextIsCutAtItsNul) { EXPECT_EQ(texts({"a\0b"s}), "a\0"s); }

}  // namespace
}  // namespace holdfast::milter
