#include "smtpd/room.h"

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

const std::vector<std::string> kBoth{"a.test", "b.test"};

TEST(Room, WithoutAWordThereIsNoBound) {
  Room room;
  EXPECT_TRUE(room.fits("a.test", 1ULL << 50));
  room.took(kBoth, 1ULL << 50);
  EXPECT_TRUE(room.fits(kBoth, 1));
}

TEST(Room, CountsOffWhatWasTakenUntilTheNextWord) {
  Room room;
  room.told({.left = {{.domain = "", .messages = 3, .bytes = 1000}, {.domain = "a.test", .messages = 1, .bytes = 500}}});
  EXPECT_TRUE(room.fits("a.test", 500));
  EXPECT_FALSE(room.fits("a.test", 501));
  EXPECT_TRUE(room.fits("b.test", 1000));
  room.took({"a.test"}, 100);
  EXPECT_FALSE(room.fits("a.test", 0)) << "its one message is there";
  EXPECT_FALSE(room.fits(kBoth, 0));
  EXPECT_TRUE(room.fits("b.test", 900));
  EXPECT_FALSE(room.fits("b.test", 901));
  room.took({"b.test"}, 900);
  EXPECT_FALSE(room.fits("b.test", 0)) << "no byte is left";
  room.told({.left = {{.domain = "", .messages = 3, .bytes = 1000}}});
  EXPECT_TRUE(room.fits(kBoth, 1000)) << "a.test has no quota any more";
}

TEST(Room, NeverGoesBelowNothing) {
  Room room;
  room.told({.left = {{.domain = "", .messages = 1, .bytes = 10}}});
  room.took(kBoth, 100);
  room.took(kBoth, 100);
  EXPECT_FALSE(room.fits("a.test", 0));
}

}  // namespace
}  // namespace holdfast::smtpd
