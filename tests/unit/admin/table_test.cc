#include "common/admin/table.h"

#include <gtest/gtest.h>

namespace holdfast::admin {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoTrailingBlanks) {
  Table table({"NAME", ">N", "REASON"});
  table.add({"a", "5", "why"});
  table.add({"longer name", "1000", ""});
  EXPECT_EQ(table.take(),
            "NAME            N  REASON\n"
            "a               5  why\n"
            "longer name  1000  -\n");
}

TEST(Table, ShowsTheUnknownAsADash) {
  Table table({"A", "B"});
  table.add({""});
  EXPECT_EQ(table.take(), "A  B\n-  -\n");
}

TEST(Table, MakesHostileTextHarmless) {
  Table table({"A"});
  table.add({"\x1b[2J\r\n"});
  EXPECT_EQ(table.take(), "A\n\\x1B[2J\\x0D\\x0A\n");
}

TEST(Table, WritesItsHeadsOnce) {
  Table table({"A"});
  EXPECT_EQ(table.take(), "");
  table.add({"x"});
  EXPECT_EQ(table.take(), "A\nx\n");
  table.add({"y"});
  EXPECT_EQ(table.take(), "y\n");
}

TEST(Texts, CountInWords) {
  EXPECT_EQ(count_text(0, "message"), "0 messages");
  EXPECT_EQ(count_text(1, "message"), "1 message");
  EXPECT_EQ(count_text(2, "message"), "2 messages");
}

TEST(Texts, BytesHaveTheUnitThatReadsBest) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(50ULL << 20), "50 MiB");
  EXPECT_EQ(bytes_text((1ULL << 20) - 1), "1.0 MiB");
  EXPECT_EQ(bytes_text(3ULL << 30), "3.0 GiB");
}

TEST(Texts, TimesThatNeverWereAreEmpty) {
  EXPECT_EQ(ago_text(0, 5000), "");
  EXPECT_EQ(ago_text(1000, 126000), "2m 5s ago");
  EXPECT_EQ(ago_text(9000, 5000), "0s ago");
  EXPECT_EQ(ahead_text(0, 5000), "");
  EXPECT_EQ(ahead_text(4000, 5000), "now");
  EXPECT_EQ(ahead_text(65000, 5000), "in 1m");
}

}  // namespace
}  // namespace holdfast::admin
