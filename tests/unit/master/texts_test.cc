#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "master/children.h"
#include "master/options.h"
#include "master/status.h"

namespace holdfast::master {
namespace {

using namespace std::chrono_literals;

TEST(DeathText, SaysHowAndWhatNext) {
  EXPECT_EQ(death_text("smtpd 1", 7, 9, true, 200ms), "smtpd 1 (pid 7) died: signal 9 (Killed); starting it again in 200 ms");
  EXPECT_EQ(death_text("qmgr", 8, 0, false, 0ms), "qmgr (pid 8) ended: exit 0");
  EXPECT_EQ(death_text("qmgr", 8, 70 << 8, true, 100ms), "qmgr (pid 8) died: exit 70; starting it again in 100 ms");
  EXPECT_EQ(death_text("qmgr", 8, 78 << 8, true, 100ms),
            "qmgr (pid 8) died: exit 78, its configuration is wrong; starting it again in 100 ms");
}

TEST(Options, AreFewAndChecked) {
  EXPECT_EQ(parse_options({})->config, "/etc/holdfast/gateway.yaml");
  EXPECT_EQ(parse_options({"--config", "x"})->config, "x");
  EXPECT_EQ(parse_options({"--config=y", "--check"})->config, "y");
  EXPECT_TRUE(parse_options({"--check"})->check);
  for (const auto& words : std::vector<std::vector<std::string>>{{"--config"}, {"--chek"}, {"x"}}) {
    const auto options = parse_options(words);
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().kind, base::Kind::kUsage);
  }
}

TEST(Status, ListsMasterAndEveryDaemon) {
  Supervisor supervisor({{"qmgr", 1, 1}, {"smtpd", 2, 0}}, Mono{1h}, base::Wall{});
  supervisor.tick(Mono{1h});
  supervisor.started(0, 77, Mono{1h}, base::Wall{});
  const auto json = nlohmann::json::parse(status_json(supervisor, "127.0.0.1:25", {.clients = 3, .early_talkers = 2}));
  EXPECT_EQ(json["clients"]["now"], 3);
  EXPECT_EQ(json["clients"]["early_talkers"], 2);
  ASSERT_EQ(json["daemons"].size(), 4U);
  EXPECT_EQ(json["daemons"][0]["name"], "master");
  EXPECT_EQ(json["daemons"][1]["pid"], 77);
  EXPECT_EQ(json["daemons"][1]["state"], "starting");
  EXPECT_TRUE(json["daemons"][3]["pid"].is_null());
  EXPECT_EQ(json["daemons"][3]["worker"], 1);
}

}  // namespace
}  // namespace holdfast::master
