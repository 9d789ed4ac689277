#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/admin/history_keeper.h"
#include "common/admin/history_values.h"
#include "common/base/file.h"
#include "tests/unit/storage/support.h"

namespace holdfast::admin {
namespace {

using nlohmann::json;
using stats::Counter;

std::optional<double> value(const storage::History::Values& values, std::string_view name) {
  for (const auto& [key, number] : values) {
    if (key == name) return number;
  }
  return std::nullopt;
}

Figures figures(std::uint64_t proxied, std::uint64_t took_us = 0) {
  Figures out{.version = "0.1", .status = {}, .domains = {{"a.example", 3}}, .sums = stats::Sums{}};
  out.status.queue = QueueLine{.messages = 8, .bytes = 100, .deferred = 5, .held = 1, .frozen = 2, .active = 0, .oldest_seconds = std::nullopt};
  out.status.destinations = {{.name = "office", .state = "down", .queued = 8}, {.name = "unseen", .state = ""},
                             {.name = "doubtful", .state = "up", .stale = true}};
  auto& smtpd = (*out.sums)["smtpd"];
  smtpd[Counter::kMessagesProxied] = proxied;
  smtpd[Counter::kRefusedAddress] = proxied;
  smtpd[Counter::kRefusedPolicy] = proxied;
  smtpd[stats::Histogram::kProxySeconds].buckets[0] = proxied;
  smtpd[stats::Histogram::kProxySeconds].sum_us = took_us;
  return out;
}

TEST(HistoryValues, TellWhatIsNow) {
  const auto values = history_values(figures(5), nullptr, 10);
  EXPECT_EQ(value(values, "queue.messages"), 8);
  EXPECT_EQ(value(values, "queue.domain.a.example"), 3);
  EXPECT_EQ(value(values, "queue.destination.office"), 8);
  EXPECT_EQ(value(values, "state.office"), 0);
  EXPECT_FALSE(value(values, "state.unseen"));
  EXPECT_FALSE(value(values, "state.doubtful")) << "nobody stands by it any more";
  EXPECT_FALSE(value(values, "queue.oldest_seconds"));
  EXPECT_FALSE(value(values, "rate.proxied")) << "there is nothing to compare with";
}

TEST(HistoryValues, RatesAndMeansAreOfTheTimeBetween) {
  const auto before = figures(100, 1'000'000);
  const auto values = history_values(figures(120, 1'500'000), &before, 10);
  EXPECT_EQ(value(values, "rate.proxied"), 2);
  EXPECT_EQ(value(values, "rate.refused"), 4) << "of all classes";
  EXPECT_EQ(value(values, "rate.deferred"), 0);
  EXPECT_EQ(value(values, "latency.proxy"), 0.025);
  EXPECT_FALSE(value(values, "latency.keep")) << "nothing was kept";
}

TEST(HistoryValues, AGatewayThatBeganAnewHasNoRateYet) {
  const auto before = figures(100);
  EXPECT_FALSE(value(history_values(figures(2), &before, 10), "rate.proxied"));
  auto deaf = figures(120);
  deaf.sums.reset();
  EXPECT_FALSE(value(history_values(deaf, &before, 10), "rate.proxied"));
}

TEST(HistoryValues, EachSeriesIsInTheTable) {
  const auto before = figures(100, 1'000'000);
  for (const auto& [name, number] : history_values(figures(120, 1'500'000), &before, 10)) {
    EXPECT_NE(find_history_series(name), nullptr) << name;
  }
  EXPECT_EQ(find_history_series("queue.domain."), nullptr);
  EXPECT_EQ(find_history_series("rate.proxied.x"), nullptr);
}

TEST(HistoryKeeper, KeepsWhatItIsGivenAndAnswers) {
  storage::test::Folder folder;
  const auto now = base::to_millis(base::wall_now()) / 1000;
  {
    auto keeper = HistoryKeeper::open(folder.path());
    ASSERT_TRUE(keeper);
    (*keeper)->add(figures(5));
  }
  auto keeper = *HistoryKeeper::open(folder.path());
  const auto listed = json::parse(*keeper->answer({}, 0, 0));
  EXPECT_EQ(listed["series"][0]["name"], "queue.bytes");
  EXPECT_EQ(listed["series"][0]["unit"], "bytes");
  const auto answer = json::parse(*keeper->answer({"queue.messages", "nothing"}, now - 20, now + 60));
  const auto& points = answer["series"][0]["points"];
  EXPECT_EQ(answer["series"][0]["step"], 10);
  int known = 0;
  for (const auto& point : points) known += point[1] == 8;
  EXPECT_EQ(known, 1);
  EXPECT_TRUE(points[0][1].is_null());
  EXPECT_EQ(answer["series"][1]["points"].size(), points.size());
}

TEST(HistoryKeeper, AFolderThatCannotBeMadeIsAnError) { EXPECT_FALSE(HistoryKeeper::open("/proc/nowhere")); }

}  // namespace
}  // namespace holdfast::admin
