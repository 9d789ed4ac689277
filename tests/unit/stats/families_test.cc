#include "common/stats/families.h"

#include <functional>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace holdfast::stats {
namespace {

template <class Which>
void each_series(std::size_t how_many, const std::function<void(const Series&)>& look) {
  for (std::size_t i = 0; i < how_many; ++i) look(series(static_cast<Which>(i)));
}

TEST(Families, NamesAreAsPrometheusWantsThem) {
  std::set<std::string_view> seen;
  for (const auto& one : families()) {
    const std::string name(one.name);
    EXPECT_TRUE(seen.insert(one.name).second) << name << " is there twice";
    EXPECT_TRUE(std::regex_match(name, std::regex("holdfast_[a-z]+(_[a-z]+)*"))) << name;
    EXPECT_EQ(name.ends_with("_total"), one.type == Type::kCounter) << name;
    if (one.type == Type::kHistogram) {
      EXPECT_TRUE(name.ends_with("_seconds")) << name;
    }
    EXPECT_FALSE(one.help.empty()) << name;
    EXPECT_NE(one.help.back(), '.') << name;
  }
}

TEST(Families, EachCounterIsASeriesOfACounterAndOfItsOwn) {
  std::set<std::string> seen;
  const auto check = [&](Type type) {
    return [&seen, type](const Series& s) {
      EXPECT_EQ(family(s.family).type, type) << s.text;
      EXPECT_EQ(s.text, s.labels.empty() ? std::string(s.family) : std::string(s.family) + "{" + std::string(s.labels) + "}");
      EXPECT_TRUE(seen.insert(std::string(s.text)).second) << s.text << " is there twice";
      EXPECT_TRUE(std::regex_match(std::string(s.labels), std::regex(R"re(([a-z]+="[a-z_]+"(,[a-z]+="[a-z_]+")*)?)re"))) << s.labels;
    };
  };
  each_series<Counter>(kCounters, check(Type::kCounter));
  each_series<Histogram>(kHistograms, check(Type::kHistogram));
}

// A row put in the wrong place would count the one as the other.
TEST(Families, TheRowsStandInTheOrderOfTheCounters) {
  EXPECT_EQ(series_of(Counter::kConnections), "holdfast_smtpd_connections_total");
  EXPECT_EQ(series_of(Counter::kKeptBytes), "holdfast_smtpd_kept_bytes_total");
  EXPECT_EQ(series_of(Counter::kMessagesDeferred), "holdfast_smtpd_messages_total{result=\"deferred\"}");
  EXPECT_EQ(series_of(refusal(450, "4.7.1")), "holdfast_smtpd_refusals_total{severity=\"temporary\",class=\"policy\"}");
  EXPECT_EQ(series_of(refusal(550, "5.1.1")), "holdfast_smtpd_refusals_total{severity=\"permanent\",class=\"address\"}");
  EXPECT_EQ(series_of(Counter::kRefused), "holdfast_deliver_recipients_total{result=\"refused\"}");
  EXPECT_EQ(series_of(Counter::kDamaged), "holdfast_deliver_damaged_total");
  EXPECT_EQ(series_of(Counter::kPossibleDuplicates), "holdfast_qmgr_possible_duplicates_total");
  EXPECT_EQ(series_of(Counter::kToPaused), "holdfast_prober_state_changes_total{state=\"paused\"}");
  EXPECT_EQ(series_of(Counter::kCommitsFailed), "holdfast_storage_commits_failed_total");
  EXPECT_EQ(series_of(Histogram::kCommitSeconds), "holdfast_storage_commit_seconds");
}

TEST(FamiliesDeathTest, ANameThatIsInNoTableIsAMistakeOfOurs) { EXPECT_DEATH(family("holdfast_nothing"), "in no table"); }

}  // namespace
}  // namespace holdfast::stats
