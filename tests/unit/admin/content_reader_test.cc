#include <gtest/gtest.h>

#include "common/admin/content_reader.h"

namespace holdfast::admin {
namespace {

const std::string kWire = "Subject: x\r\n\r\n..dot\r\n.\r\na.b\r\n\x1b[2J\xc3\x89\xc2\x9b\r\n";

TEST(Content, IsByteForByteInAFile) {
  EXPECT_EQ(ContentReader(false).take(kWire), "Subject: x\r\n\r\n.dot\r\n\r\na.b\r\n\x1b[2J\xc3\x89\xc2\x9b\r\n");
}

TEST(Content, IsTheSameInWhateverPieces) {
  const std::string whole = ContentReader(false).take(kWire);
  for (std::size_t cut = 0; cut <= kWire.size(); ++cut) {
    ContentReader reader(false);
    const std::string first = reader.take(kWire.substr(0, cut));
    EXPECT_EQ(first + reader.take(kWire.substr(cut)), whole) << cut;
  }
}

TEST(Content, IsHarmlessOnATerminal) {
  EXPECT_EQ(ContentReader(true).take(kWire), "Subject: x\n\n.dot\n\na.b\n\\x1B[2J\xc3\x89\xc2\\x9B\n");
}

}  // namespace
}  // namespace holdfast::admin
