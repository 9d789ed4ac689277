#include "common/admin/dest_history.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::admin {
namespace {

constexpr std::int64_t kNow = 1'795'000'000;  // 2026-11-18
const std::string kDown =
    "Nov 18 10:00:00 mx holdfast/prober[70]: destination=office state=down was=up after=3 reason=\"connect: connection refused\"";

TEST(DestHistory, AChangeIsRead) {
  const auto change = state_change(kDown, "office", kNow);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->state, "down");
  EXPECT_EQ(change->was, "up");
  EXPECT_EQ(change->reason, "connect: connection refused");
  EXPECT_GT(change->when_s, kNow - 366 * 86400);
}

TEST(DestHistory, OtherLinesAreNone) {
  EXPECT_FALSE(state_change(kDown, "offic", kNow));
  EXPECT_FALSE(state_change(kDown, "office2", kNow));
  EXPECT_FALSE(state_change("Nov 18 10:00:00 mx holdfast/smtpd[70]: destination=office state=down was=up after=3 reason=\"\"", "office", kNow))
      << "smtpd repeats what clients say";
  EXPECT_FALSE(state_change("Nov 18 10:00:00 mx holdfast/prober[70]: destination=office", "office", kNow));
  EXPECT_FALSE(state_change("", "office", kNow));
}

TEST(DestHistory, GoesBackOverOldLogsAndKeepsTheNewest) {
  storage::test::Folder folder;
  const auto line = [](const char* time, const char* state) {
    return std::string("Nov 18 ") + time + " mx holdfast/prober[70]: destination=office state=" + state + " was=x after=1 reason=\"\"\n";
  };
  std::ofstream(folder.path() + "/prober.log.1") << line("09:00:00", "down") << line("09:10:00", "draining");
  std::ofstream(folder.path() + "/prober.log") << line("09:11:00", "up") << "nonsense\n";
  std::ofstream(folder.path() + "/qmgr.log") << line("09:12:00", "down");
  const auto all = destination_history(folder.path(), "office", 100);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ(all->front().state, "down");
  EXPECT_EQ(all->back().state, "up");
  EXPECT_EQ(destination_history(folder.path(), "office", 2)->front().state, "draining");
}

TEST(DestHistory, SaysHowLongEachLasted) {
  const std::vector<StateChange> changes{{kNow - 3600, "down", "up", "refused"}, {kNow - 60, "up", "down", ""}};
  const auto text = history_text(changes, kNow);
  EXPECT_NE(text.find("59m"), text.npos) << text;
  EXPECT_NE(text.find("refused"), text.npos);
  const auto json = history_lines_json(changes, kNow);
  EXPECT_NE(json.find("\"seconds\":3540"), json.npos) << json;
  EXPECT_NE(json.find("\"seconds\":60"), json.npos);
}

}  // namespace
}  // namespace holdfast::admin
