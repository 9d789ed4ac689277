#include "common/admin/figures.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "common/admin/metrics.h"
#include "common/stats/families.h"

namespace holdfast::admin {
namespace {

using stats::Counter;
using stats::Histogram;

// One of everything.
Figures whole() {
  Figures out{.version = "0.1", .status = {}, .domains = {{"a.example", 3}}, .sums = stats::Sums{}};
  auto& status = out.status;
  status.daemons = {{"master", 0, 1, "running", 0}, {"smtpd", 1, 7, "restarting", 2}};
  status.destinations = {{.name = "office", .state = "draining", .reason = "", .mode = "proxy", .since_ms = 1'500'000, .queued = 4}};
  status.domains = {{"a.example", "office", 40, false}};
  status.queue = QueueLine{.messages = 9, .bytes = 512, .deferred = 5, .held = 1, .frozen = 2, .active = 1, .oldest_seconds = 60};
  status.spool = SpoolLine{1 << 20, 25, true};
  status.clients = ClientsLine{.now = 6};
  (*out.sums)["smtpd"][Counter::kMessagesKept] = 12;
  (*out.sums)["smtpd"][Histogram::kKeepSeconds].buckets = {1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  (*out.sums)["smtpd"][Histogram::kKeepSeconds].sum_us = 90'500'000;
  (*out.sums)["qmgr"][Counter::kCommits] = 5;
  auto& office = (*out.sums)["smtpd"].destinations["office"];
  office.answers = {7, 0, 2, 1};
  office.seconds.buckets[3] = 9;
  for (const char* name : {"deliver", "prober"}) (*out.sums)[name];
  return out;
}

std::vector<std::string> lines_with(const std::string& text, const std::string& what) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(what)) out.push_back(line);
  }
  return out;
}

using Lines = std::vector<std::string>;

TEST(Figures, EachFamilyHasASampleWhereAllIsKnown) {
  std::set<std::string_view> seen;
  for (const auto& sample : samples(whole())) seen.insert(sample.family);
  for (const auto& family : stats::families()) EXPECT_TRUE(seen.contains(family.name)) << family.name;
}

TEST(Figures, NoSeriesIsThereTwiceAndFamiliesStandTogether) {
  std::set<std::string> seen;
  std::set<std::string_view> begun;
  std::string_view last;
  for (const auto& sample : samples(whole())) {
    std::string text(sample.family);
    for (const auto& label : sample.labels) text += "," + label.name + "=" + label.value;
    EXPECT_TRUE(seen.insert(text).second) << text;
    if (sample.family != last) {
      EXPECT_TRUE(begun.insert(sample.family).second) << sample.family;
    }
    last = sample.family;
  }
}

TEST(Figures, WhatIsUnknownIsLeftOut) {
  Figures blind{.version = "0.1", .status = {}, .domains = {}, .sums = std::nullopt};
  blind.status.destinations = {{.name = "office", .state = "", .reason = "", .mode = "proxy"}};
  blind.status.domains = {{"a.example", "office", std::nullopt, std::nullopt}};
  const auto all = samples(blind);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all.front().family, "holdfast_build_info");
}

TEST(Metrics, AreWrittenAsPrometheusReadsThem) {
  const auto text = metrics_text(samples(whole()));
  EXPECT_EQ(lines_with(text, "holdfast_smtpd_messages_total{result=\"kept\"}"), Lines{"holdfast_smtpd_messages_total{result=\"kept\"} 12"});
  EXPECT_EQ(lines_with(text, "# TYPE holdfast_smtpd_messages_total"), Lines{"# TYPE holdfast_smtpd_messages_total counter"});
  EXPECT_EQ(lines_with(text, "holdfast_storage_commits_total{daemon=\"qmgr\"}"), Lines{"holdfast_storage_commits_total{daemon=\"qmgr\"} 5"});
  EXPECT_EQ(lines_with(text, "holdfast_domain_coverage_ratio"), Lines{"holdfast_domain_coverage_ratio{domain=\"a.example\"} 0.4"});
  EXPECT_EQ(lines_with(text, "holdfast_destination_state_since"), Lines{"holdfast_destination_state_since_seconds{destination=\"office\"} 1500"});
  EXPECT_EQ(lines_with(text, "holdfast_daemon_up"),
            (Lines{"holdfast_daemon_up{daemon=\"master\",worker=\"0\"} 1", "holdfast_daemon_up{daemon=\"smtpd\",worker=\"1\"} 0"}));
}

TEST(Metrics, AnswersAreOfTheirDestinationAndOfWhoOfferedTheMessage) {
  const auto text = metrics_text(samples(whole()));
  const std::string begin = "holdfast_destination_answers_total{destination=\"office\",daemon=\"smtpd\",result=";
  EXPECT_EQ(lines_with(text, "holdfast_destination_answers_total"),
            (Lines{begin + "\"accepted\"} 7", begin + "\"deferred\"} 0", begin + "\"refused\"} 2", begin + "\"failed\"} 1"}));
  EXPECT_EQ(lines_with(text, "holdfast_destination_answer_seconds_count"),
            Lines{"holdfast_destination_answer_seconds_count{destination=\"office\",daemon=\"smtpd\"} 9"});
}

TEST(Metrics, BucketsAddUp) {
  const auto text = metrics_text(samples(whole()));
  const auto lines = lines_with(text, "holdfast_smtpd_keep_seconds");
  ASSERT_EQ(lines.size(), stats::kBuckets + 2);
  EXPECT_EQ(lines[0], "holdfast_smtpd_keep_seconds_bucket{le=\"0.001\"} 1");
  EXPECT_EQ(lines[1], "holdfast_smtpd_keep_seconds_bucket{le=\"0.0025\"} 3");
  EXPECT_EQ(lines[14], "holdfast_smtpd_keep_seconds_bucket{le=\"60\"} 3");
  EXPECT_EQ(lines[15], "holdfast_smtpd_keep_seconds_bucket{le=\"+Inf\"} 4");
  EXPECT_EQ(lines[16], "holdfast_smtpd_keep_seconds_sum 90.5");
  EXPECT_EQ(lines[17], "holdfast_smtpd_keep_seconds_count 4");
}

TEST(Metrics, ALabelCannotEndItsLine) {
  Figures odd{.version = "a\"b\\c\nd", .status = {}, .domains = {}, .sums = std::nullopt};
  const auto text = metrics_text(samples(odd));
  EXPECT_EQ(lines_with(text, "holdfast_build_info"), Lines{R"(holdfast_build_info{version="a\"b\\c\nd"} 1)"});
}

TEST(Metrics, AQuantileIsTheBoundOfItsBucket) {
  stats::HistogramNumbers numbers;
  EXPECT_FALSE(quantile(numbers, 0.5));
  numbers.buckets[1] = 99;
  numbers.buckets[4] = 1;
  EXPECT_EQ(quantile(numbers, 0.99), 0.0025);
  EXPECT_EQ(quantile(numbers, 0.999), 0.025);
  numbers.buckets[stats::kBuckets - 1] = 50;
  EXPECT_FALSE(quantile(numbers, 0.99)) << "longer than the last bound";
}

TEST(Metrics, PeopleAreToldWhatIsNotNone) {
  const auto text = stats_text(samples(whole()));
  EXPECT_NE(text.find("smtpd_messages"), text.npos);
  EXPECT_NE(text.find("4 times, 22.6 s on average, more than 1 % over a minute"), text.npos) << text;
  EXPECT_EQ(text.find("deliver_attempts"), text.npos);
  EXPECT_NE(stats_json(samples(whole())).find(R"("labels":{"result":"kept"},"name":"holdfast_smtpd_messages_total","value":12)"),
            std::string::npos);
}

TEST(Metrics, TheReferenceIsThatOfTheTable) {
  std::ifstream in(HOLDFAST_SOURCE "/docs/metrics.md");
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), metrics_reference()) << "make doc writes it again";
}

}  // namespace
}  // namespace holdfast::admin
