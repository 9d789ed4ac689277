#include "common/stats/sums.h"

#include <gtest/gtest.h>

namespace holdfast::stats {
namespace {

TEST(Sums, ComeBackAsTheyWere) {
  Sums sums;
  sums["smtpd"][Counter::kMessagesKept] = 7;
  sums["smtpd"][Histogram::kKeepSeconds].buckets[2] = 7;
  sums["smtpd"][Histogram::kKeepSeconds].sum_us = 21'000;
  sums["qmgr"][Counter::kCommits] = 1;
  auto& office = sums["smtpd"].destinations["office"];
  office.answers = {3, 0, 0, 1};
  office.seconds.buckets[4] = 3;
  office.seconds.sum_us = 70'000;
  const auto again = parse_sums(sums_json(sums));
  ASSERT_TRUE(again);
  ASSERT_EQ(again->size(), 2u);
  const Numbers& smtpd = again->at("smtpd");
  EXPECT_EQ(smtpd[Counter::kMessagesKept], 7u);
  EXPECT_EQ(smtpd[Counter::kMessagesProxied], 0u);
  EXPECT_EQ(smtpd[Histogram::kKeepSeconds].buckets[2], 7u);
  EXPECT_EQ(smtpd[Histogram::kKeepSeconds].sum_us, 21'000u);
  EXPECT_EQ(again->at("qmgr")[Counter::kCommits], 1u);
  EXPECT_EQ(again->at("smtpd").destinations, sums["smtpd"].destinations);
  EXPECT_TRUE(again->at("qmgr").destinations.empty());
}

TEST(Sums, WhatAnotherVersionSaysBesidesIsPassedOver) {
  const auto sums = parse_sums(
      R"({"daemons":{"smtpd":{"counters":{"holdfast_smtpd_connections_total":5,"holdfast_new_total":9,
          "holdfast_smtpd_tls_sessions_total":-1},"histograms":{"holdfast_smtpd_keep_seconds":{"buckets":[1,2],"sum_us":3}}},
          "odd":7,"deliver":{"destinations":{"a":7,"b":{"answers":{"accepted":2,"blessed":1}}}},"qmgr":{"destinations":[]}},"more":true})");
  ASSERT_TRUE(sums);
  EXPECT_EQ(sums->at("smtpd")[Counter::kConnections], 5u);
  EXPECT_EQ(sums->at("smtpd")[Counter::kTlsSessions], 0u);
  EXPECT_EQ(sums->at("smtpd")[Histogram::kKeepSeconds].sum_us, 0u) << "other buckets than ours";
  EXPECT_EQ(sums->at("odd")[Counter::kConnections], 0u);
  EXPECT_EQ(sums->at("deliver").destinations.at("a"), DestinationNumbers{});
  EXPECT_EQ(sums->at("deliver").destinations.at("b")[Answer::kAccepted], 2u);
}

TEST(Sums, AnythingElseIsNoAnswer) {
  EXPECT_FALSE(parse_sums(""));
  EXPECT_FALSE(parse_sums("[]"));
  EXPECT_FALSE(parse_sums(R"({"daemons":[]})"));
}

}  // namespace
}  // namespace holdfast::stats
