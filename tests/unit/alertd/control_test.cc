#include "alertd/control.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace holdfast::alertd {
namespace {

using nlohmann::json;

constexpr std::int64_t kNow = 1'795'339'013'000;

class ControlTest : public ::testing::Test {
 protected:
  ControlTest() {
    config_.destinations["office"].name = "office";
    book_.raise("destination_down", "office", "refused", kNow);
  }
  ipc::ControlReply ask(const std::string& command, std::vector<std::string> words = {}) {
    changed_ = false;
    return desk_.answer({.command = command, .words = std::move(words), .user = "ann\n"}, config_, {"command"}, kNow, changed_);
  }

  config::Config config_;
  AlertBook book_;
  Outbox outbox_;
  RoadStates states_;
  ControlDesk desk_{book_, outbox_, states_};
  bool changed_ = false;
};

TEST_F(ControlTest, ListsAlertsAndRoads) {
  states_["command"] = {.ok_ms = 0, .failed_ms = kNow, .said = "exit 3"};
  const auto told = json::parse(ask("alert.list").json);
  EXPECT_EQ(told["alerts"][0]["title"], "office is down");
  EXPECT_EQ(told["alerts"][0]["state"], "open");
  EXPECT_EQ(told["roads"][0]["ok"], false);
  EXPECT_EQ(told["roads"][0]["said"], "exit 3");
  EXPECT_FALSE(changed_);
}

TEST_F(ControlTest, ARoadThatWasNotUsedIsNeitherGoodNorBad) {
  EXPECT_TRUE(json::parse(ask("alert.list").json)["roads"][0]["ok"].is_null());
}

TEST_F(ControlTest, Acknowledges) {
  EXPECT_EQ(ask("alert.ack", {"7"}).exit, 67);
  EXPECT_EQ(ask("alert.ack", {"x"}).exit, 67);
  EXPECT_EQ(ask("alert.ack").exit, 64);
  EXPECT_FALSE(changed_);
  EXPECT_EQ(ask("alert.ack", {"1"}).exit, 0);
  EXPECT_TRUE(changed_);
  EXPECT_EQ(json::parse(ask("alert.list").json)["alerts"][0]["acknowledged_by"], "ann\\x0A");
}

TEST_F(ControlTest, SilencesWhatMeansSomething) {
  for (const char* what : {"held", "destination_down:office", "office"}) {
    EXPECT_EQ(ask("alert.silence", {what, "3600"}).exit, 0) << what;
    EXPECT_TRUE(changed_);
    EXPECT_EQ(ask("alert.unsilence", {what}).exit, 0) << what;
  }
  EXPECT_EQ(ask("alert.silence", {"ofice", "3600"}).exit, 67) << "a slip of the hand must not look as if it had worked";
  EXPECT_EQ(ask("alert.silence", {"held", "0"}).exit, 64);
  EXPECT_EQ(ask("alert.silence", {"held", "99999999999"}).exit, 64);
  EXPECT_EQ(ask("alert.silence", {"held"}).exit, 64);
  EXPECT_EQ(ask("alert.unsilence", {"held"}).exit, 67);
  EXPECT_FALSE(changed_);
}

TEST_F(ControlTest, KnowsNoOtherCommand) { EXPECT_EQ(ask("alert.explode").exit, 64); }

TEST_F(ControlTest, SaysWhatATestHasShown) {
  const auto told = json::parse(ControlDesk::tested({{.road = "command", .ok = true, .said = "exit 0"}}).json);
  EXPECT_EQ(told["roads"][0]["road"], "command");
  EXPECT_EQ(told["roads"][0]["ok"], true);
}

}  // namespace
}  // namespace holdfast::alertd
