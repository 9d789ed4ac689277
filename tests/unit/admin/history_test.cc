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

TEST(HistoryJson, AStateIsTheWorstOfItsStepAndAFigureTheMean) {
  storage::test::Folder folder;
  const auto history = storage::History::open(folder.path());
  ASSERT_TRUE(history);
  constexpr std::int64_t kBegin = 1'795'300'200;  // a multiple of 300
  auto txn = storage::WriteTxn::begin((*history)->env());
  ASSERT_TRUE(txn);
  for (int i = 0; i < 90; ++i) {
    const double state = i >= 3 && i < 6 ? 0 : 1;  // half a minute's outage
    ASSERT_TRUE((*history)->add(**txn, kBegin + i * 10, {{"state.office", state}, {"queue.messages", state * 30}}));
  }
  ASSERT_TRUE((*txn)->commit());
  storage::ReadTxn read((*history)->env());
  const storage::ReadTxn::View view(read);
  const auto now = kBegin + 890;
  const auto told = json::parse(history_json(**history, read, {"queue.messages", "state.office", "state.none"}, now - 86'400, now, now));
  const auto value_at = [&](int series, std::int64_t at) -> json {
    for (const auto& [when, value] : told["series"][static_cast<std::size_t>(series)]["points"].get<std::vector<std::pair<std::int64_t, json>>>()) {
      if (when == at) return value;
    }
    return "none";
  };
  EXPECT_EQ(told["series"][1]["step"], 300);
  EXPECT_EQ(value_at(0, kBegin), 27);
  EXPECT_EQ(value_at(1, kBegin), 0) << "it was down";
  EXPECT_EQ(value_at(1, kBegin + 300), 1);
  EXPECT_EQ(value_at(1, kBegin + 600), 1) << "what is not rolled up yet, too";
  EXPECT_TRUE(value_at(1, kBegin - 300).is_null());
  EXPECT_TRUE(value_at(2, kBegin).is_null());
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
