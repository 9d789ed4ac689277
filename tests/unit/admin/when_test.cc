#include "common/admin/when.h"

#include <gtest/gtest.h>

namespace holdfast::admin {
namespace {

TEST(When, LocalAndUniversalTime) {
  EXPECT_EQ(parse_when("2026-11-25T10:00:30Z"), 1795600830);
  EXPECT_EQ(parse_when("2026-11-25 10:00Z"), 1795600800);
  EXPECT_TRUE(parse_when("2026-11-25"));
  for (const auto* bad :
       {"", "tomorrow", "2026-13-01", "2026-02-30", "2026-11-25T10", "2026-11-25T10:00x", "1960-01-01"}) {
    EXPECT_FALSE(parse_when(bad)) << bad;
  }
}

}  // namespace
}  // namespace holdfast::admin
