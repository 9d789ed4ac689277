#include "common/base/announce.h"

#include <gtest/gtest.h>

namespace holdfast::base {
namespace {

TEST(Announce, TheLineIsSafeWhateverItsValuesHold) {
  EXPECT_EQ(event_text("stress", {}), "event=stress");
  EXPECT_EQ(event_text("held", {{"queue_id", "3F"}, {"reason", "said \"no\"\r\nevent=x"}}),
            "event=held queue_id=\"3F\" reason=\"said 'no'\\x0D\\x0Aevent=x\"");
}

TEST(Announce, TheHookHearsOfItUntilItIsTakenAway) {
  std::string heard;
  set_announce_hook([&](std::string_view name, const Facts& facts) {
    heard += name;
    for (const auto& [key, value] : facts) heard += std::string(key) + "=" + std::string(value);
  });
  announce(Level::kNotice, "x", {{"a", "b"}});
  EXPECT_EQ(heard, "xa=b");
  set_announce_hook({});
  announce(Level::kError, "x", {});
  EXPECT_EQ(heard, "xa=b");
}

}  // namespace
}  // namespace holdfast::base
