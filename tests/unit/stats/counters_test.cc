#include "common/stats/counters.h"

#include <gtest/gtest.h>

namespace holdfast::stats {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(Counters, ABoundIsInItsBucketAndWhatIsLongerInTheNext) {
  EXPECT_EQ(bucket_of(nanoseconds{0}), 0u);
  EXPECT_EQ(bucket_of(milliseconds{1}), 0u);
  EXPECT_EQ(bucket_of(nanoseconds{1'000'001}), 1u);
  EXPECT_EQ(bucket_of(std::chrono::seconds{60}), kBuckets - 2);
  EXPECT_EQ(bucket_of(std::chrono::hours{1}), kBuckets - 1);
}

TEST(Counters, CountsAndTimesAddUp) {
  const auto before = mine();
  count(Counter::kRemoved);
  count(Counter::kRemoved, 4);
  observe(Histogram::kProxySeconds, microseconds{300});
  observe(Histogram::kProxySeconds, milliseconds{7});
  EXPECT_EQ(mine()[Counter::kRemoved] - before[Counter::kRemoved], 5u);
  const auto &now = mine()[Histogram::kProxySeconds], &then = before[Histogram::kProxySeconds];
  EXPECT_EQ(now.sum_us - then.sum_us, 7300u);
  EXPECT_EQ(now.buckets[0] - then.buckets[0], 1u);
  EXPECT_EQ(now.buckets[3] - then.buckets[3], 1u);
}

TEST(Counters, ATimeBelowNoneIsNone) {
  const auto before = mine();
  observe(Histogram::kKeepSeconds, milliseconds{-5});
  EXPECT_EQ(mine()[Histogram::kKeepSeconds].sum_us, before[Histogram::kKeepSeconds].sum_us);
  EXPECT_EQ(mine()[Histogram::kKeepSeconds].buckets[0], before[Histogram::kKeepSeconds].buckets[0] + 1);
}

TEST(Counters, ARefusalCountsInItsClass) {
  EXPECT_EQ(refusal(550, "5.1.1"), Counter::kRefusedAddress);
  EXPECT_EQ(refusal(450, "4.7.1"), Counter::kDeferredPolicy);
  EXPECT_EQ(refusal(452, "4.3.1"), Counter::kDeferredSystem);
  EXPECT_EQ(refusal(554, "5.7.26"), Counter::kRefusedPolicy);
  EXPECT_EQ(refusal(421, ""), Counter::kDeferredOther);
  EXPECT_EQ(refusal(554, "5.9.1"), Counter::kRefusedOther) << "a class that RFC 3463 does not have";
  EXPECT_EQ(refusal(554, "5.77.1"), Counter::kRefusedOther);
}

TEST(Counters, NumbersOfSeveralAddUp) {
  Numbers a, b;
  a[Counter::kSent] = 3;
  b[Counter::kSent] = 4;
  b[Histogram::kSyncSeconds].buckets[kBuckets - 1] = 2;
  b[Histogram::kSyncSeconds].sum_us = 9;
  a += b;
  EXPECT_EQ(a[Counter::kSent], 7u);
  EXPECT_EQ(a[Histogram::kSyncSeconds].buckets[kBuckets - 1], 2u);
  EXPECT_EQ(a[Histogram::kSyncSeconds].sum_us, 9u);
}

}  // namespace
}  // namespace holdfast::stats
