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
  const auto again = parse_sums(sums_json(sums));
  ASSERT_TRUE(again);
  ASSERT_EQ(again->size(), 2u);
  const Numbers& smtpd = again->at("smtpd");
  EXPECT_EQ(smtpd[Counter::kMessagesKept], 7u);
  EXPECT_EQ(smtpd[Counter::kMessagesProxied], 0u);
  EXPECT_EQ(smtpd[Histogram::kKeepSeconds].buckets[2], 7u);
  EXPECT_EQ(smtpd[Histogram::kKeepSeconds].sum_us, 21'000u);
  EXPECT_EQ(again->at("qmgr")[Counter::kCommits], 1u);
}

TEST(Sums, WhatAnotherVersionSaysBesidesIsPassedOver) {
  const auto sums = parse_sums(
      R"({"daemons":{"smtpd":{"counters":{"holdfast_smtpd_connections_total":5,"holdfast_new_total":9,
          "holdfast_smtpd_tls_sessions_total":-1},"histograms":{"holdfast_smtpd_keep_seconds":{"buckets":[1,2],"sum_us":3}}},
          "odd":7},"more":true})");
  ASSERT_TRUE(sums);
  EXPECT_EQ(sums->at("smtpd")[Counter::kConnections], 5u);
  EXPECT_EQ(sums->at("smtpd")[Counter::kTlsSessions], 0u);
  EXPECT_EQ(sums->at("smtpd")[Histogram::kKeepSeconds].sum_us, 0u) << "other buckets than ours";
  EXPECT_EQ(sums->at("odd")[Counter::kConnections], 0u);
}

TEST(Sums, AnythingElseIsNoAnswer) {
  EXPECT_FALSE(parse_sums(""));
  EXPECT_FALSE(parse_sums("[]"));
  EXPECT_FALSE(parse_sums(R"({"daemons":[]})"));
}

}  // namespace
}  // namespace holdfast::stats
