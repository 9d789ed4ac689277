#include "alertd/alert_book.h"

#include <gtest/gtest.h>

namespace holdfast::alertd {
namespace {

constexpr std::int64_t kStart = 1'795'339'013'000, kMinute = 60'000, kHour = 60 * kMinute;
using Moments = AlertBook::Moments;

class AlertBookTest : public ::testing::Test {
 protected:
  Moments down(std::int64_t now) { return book_.raise("destination_down", "office", "connection refused", now); }
  Moments up(std::int64_t now) { return book_.clear("destination_down", "office", now); }
  const Alert& alert() { return *book_.find("destination_down", "office"); }

  AlertBook book_;
};

TEST_F(AlertBookTest, WhatLastsIsToldAtItsBeginningAndItsEnd) {
  EXPECT_EQ(down(kStart), (Moments{{1, What::kOpened}}));
  EXPECT_TRUE(alert().open());
  EXPECT_EQ(down(kStart + 1000), Moments{}) << "it is known";
  EXPECT_EQ(up(kStart + kMinute), (Moments{{1, What::kCleared}}));
  EXPECT_EQ(alert().closed_ms, kStart + kMinute);
  EXPECT_EQ(up(kStart + kMinute), Moments{});
}

TEST_F(AlertBookTest, ABeginningThatIsKnownBetterCounts) {
  book_.raise("destination_down", "office", "x", kStart, kStart - kHour);
  EXPECT_EQ(alert().opened_ms, kStart - kHour);
}

TEST_F(AlertBookTest, ItIsRepeatedWhileItLasts) {
  down(kStart);
  EXPECT_EQ(book_.tick(kStart + 4 * kHour - 1), Moments{});
  EXPECT_EQ(book_.tick(kStart + 4 * kHour), (Moments{{1, What::kRepeated}}));
  EXPECT_EQ(book_.tick(kStart + 4 * kHour + kMinute), Moments{});
  EXPECT_EQ(book_.tick(kStart + 8 * kHour), (Moments{{1, What::kRepeated}}));
  up(kStart + 9 * kHour);
  EXPECT_EQ(book_.tick(kStart + 20 * kHour), Moments{});
  EXPECT_EQ(book_.find("destination_down", "office"), nullptr) << "forgotten when it is long over";
}

TEST_F(AlertBookTest, RepeatsCanBeOff) {
  book_.set_rules({.repeat_ms = 0, .ignore = {}});
  down(kStart);
  EXPECT_EQ(book_.tick(kStart + 1000 * kHour), Moments{});
}

TEST_F(AlertBookTest, AcknowledgedItIsNotRepeatedButItsEndIsTold) {
  down(kStart);
  EXPECT_FALSE(book_.acknowledge(2, "ann", kStart));
  EXPECT_TRUE(book_.acknowledge(1, "ann", kStart));
  EXPECT_EQ(book_.tick(kStart + 9 * kHour), Moments{});
  EXPECT_EQ(up(kStart + 10 * kHour), (Moments{{1, What::kCleared}}));
  EXPECT_FALSE(book_.acknowledge(1, "ann", kStart)) << "it is not open";
}

TEST_F(AlertBookTest, TheNextOutageNeedsAnAcknowledgementOfItsOwn) {
  down(kStart);
  book_.acknowledge(1, "ann", kStart);
  up(kStart + kMinute);
  down(kStart + 2 * kMinute);
  EXPECT_EQ(alert().acknowledged_ms, 0);
}

TEST_F(AlertBookTest, TheThirdTimeWithinAQuarterOfAnHourIsFlapping) {
  EXPECT_EQ(down(kStart).size(), 1U);
  EXPECT_EQ(up(kStart + kMinute).size(), 1U);
  EXPECT_EQ(down(kStart + 2 * kMinute), (Moments{{1, What::kOpened}}));
  EXPECT_EQ(up(kStart + 3 * kMinute).size(), 1U);
  EXPECT_EQ(down(kStart + 4 * kMinute), (Moments{{1, What::kFlapping}})) << "one alert, with the same number";
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(up(kStart + (5 + 2 * i) * kMinute), Moments{});
    EXPECT_EQ(down(kStart + (6 + 2 * i) * kMinute), Moments{});
    EXPECT_EQ(book_.tick(kStart + (6 + 2 * i) * kMinute), Moments{});
  }
  EXPECT_EQ(alert().count, 53U);
  EXPECT_EQ(alert().first_ms, kStart);
  EXPECT_LE(alert().raised.size(), AlertBook::kFlaps);
}

TEST_F(AlertBookTest, WhatFlappedIsToldOfWhenItIsCalm) {
  for (int i = 0; i < 3; ++i) {
    down(kStart + 2 * i * kMinute);
    up(kStart + (2 * i + 1) * kMinute);
  }
  EXPECT_TRUE(alert().flapping);
  EXPECT_EQ(book_.tick(kStart + 19 * kMinute), Moments{});
  EXPECT_EQ(book_.tick(kStart + 20 * kMinute), (Moments{{1, What::kCleared}}));
  EXPECT_EQ(book_.tick(kStart + 21 * kMinute), Moments{});
}

TEST_F(AlertBookTest, WhatFlappedAndStaysIsToldOfAsSuch) {
  for (int i = 0; i < 2; ++i) {
    down(kStart + 2 * i * kMinute);
    up(kStart + (2 * i + 1) * kMinute);
  }
  down(kStart + 4 * kMinute);
  EXPECT_EQ(book_.tick(kStart + 19 * kMinute), (Moments{{1, What::kCalm}}));
  EXPECT_EQ(up(kStart + 30 * kMinute), (Moments{{1, What::kCleared}})) << "it is told of as any other again";
}

TEST_F(AlertBookTest, WhatFlapsForHoursIsToldOfAgain) {
  for (int i = 0; i < 3; ++i) {
    down(kStart + 2 * i * kMinute);
    up(kStart + (2 * i + 1) * kMinute);
  }
  Moments told;
  for (std::int64_t t = kStart + 6 * kMinute; t < kStart + 5 * kHour; t += 10 * kMinute) {
    down(t);
    up(t + kMinute);
    const auto more = book_.tick(t + kMinute);
    told.insert(told.end(), more.begin(), more.end());
  }
  EXPECT_EQ(told, (Moments{{1, What::kFlapping}}));
}

TEST_F(AlertBookTest, OutagesFarApartDoNotFlap) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(down(kStart + i * 8 * kMinute).front().what, What::kOpened);
    EXPECT_EQ(up(kStart + i * 8 * kMinute + kMinute).front().what, What::kCleared);
  }
}

TEST_F(AlertBookTest, WhatHappensAtAMomentIsGathered) {
  EXPECT_EQ(book_.raise("daemon_died", "qmgr", "signal 9", kStart), (Moments{{1, What::kOpened}}));
  for (int i = 1; i <= 5; ++i) EXPECT_EQ(book_.raise("daemon_died", "qmgr", "signal 9", kStart + i * kMinute), Moments{});
  EXPECT_EQ(book_.tick(kStart + kHour), Moments{});
  EXPECT_EQ(book_.tick(kStart + 4 * kHour), (Moments{{1, What::kRepeated}}));
  EXPECT_EQ(book_.find(1)->count, 6U);
  EXPECT_EQ(book_.tick(kStart + 8 * kHour), Moments{}) << "nothing more has happened";
  EXPECT_EQ(book_.find(1), nullptr);
  EXPECT_EQ(book_.raise("daemon_died", "qmgr", "signal 9", kStart + 9 * kHour), (Moments{{2, What::kOpened}}));
}

TEST_F(AlertBookTest, SilencedItIsToldOfWhenTheSilenceEnds) {
  for (const char* what : {"destination_down", "office", "destination_down:office"}) {
    AlertBook book;
    book.silence({.what = what, .until_ms = kStart + kHour, .by = "ann"});
    EXPECT_EQ(book.raise("destination_down", "office", "x", kStart), Moments{}) << what;
    EXPECT_EQ(book.raise("queue_long", "", "x", kStart).size(), 1U) << "another kind is not silenced";
    EXPECT_EQ(book.tick(kStart + kHour - 1), Moments{});
    EXPECT_EQ(book.tick(kStart + kHour), (Moments{{1, What::kOpened}})) << what;
    EXPECT_TRUE(book.silences().empty());
  }
}

TEST_F(AlertBookTest, OfWhatNobodyWasToldNoEndIsTold) {
  book_.silence({.what = "office", .until_ms = kStart + kHour, .by = "ann"});
  down(kStart);
  EXPECT_EQ(up(kStart + 2 * kHour), Moments{});
}

TEST_F(AlertBookTest, ASilenceCanBeTakenBack) {
  book_.silence({.what = "office", .until_ms = kStart + kHour, .by = "ann"});
  EXPECT_TRUE(book_.unsilence("office"));
  EXPECT_FALSE(book_.unsilence("office"));
  EXPECT_EQ(down(kStart).size(), 1U);
}

TEST_F(AlertBookTest, IgnoredKindsAndUnknownOnesAreNone) {
  book_.set_rules({.repeat_ms = kHour, .ignore = {"destination_down"}});
  EXPECT_EQ(down(kStart), Moments{});
  EXPECT_EQ(book_.raise("no_such_kind", "", "x", kStart), Moments{});
  EXPECT_TRUE(book_.alerts().empty());
}

TEST_F(AlertBookTest, AKindThatIsIgnoredLaterIsForgotten) {
  down(kStart);
  book_.set_rules({.repeat_ms = kHour, .ignore = {"destination_down"}});
  EXPECT_EQ(book_.tick(kStart + 2 * kHour), Moments{});
  EXPECT_TRUE(book_.alerts().empty());
}

TEST_F(AlertBookTest, TheMostThatWasHeldIsRemembered) {
  down(kStart);
  book_.note_held("destination_down", "office", {.messages = 5, .bytes = 500, .oldest_ms = 0, .expires_ms = 0});
  book_.note_held("destination_down", "office", {.messages = 3, .bytes = 300, .oldest_ms = 0, .expires_ms = 0});
  EXPECT_EQ(alert().most.messages, 5U);
}

TEST_F(AlertBookTest, WhatHasChangedIsToldOnceAndRestoredItGoesOn) {
  down(kStart);
  book_.silence({.what = "frozen", .until_ms = kStart + kHour, .by = "ann"});
  EXPECT_EQ(book_.take_changed_alerts(), (std::set<std::uint64_t>{1}));
  EXPECT_EQ(book_.take_changed_silences(), (std::set<std::string>{"frozen"}));
  EXPECT_TRUE(book_.take_changed_alerts().empty());
  AlertBook next;
  next.restore({alert()}, {book_.silences().at("frozen")});
  EXPECT_EQ(next.raise("destination_down", "office", "connection refused", kStart + 1), Moments{}) << "it has been told";
  EXPECT_EQ(next.raise("destination_down", "lab", "x", kStart + 1), (Moments{{2, What::kOpened}})) << "with a number of its own";
  EXPECT_EQ(next.clear("destination_down", "office", kStart + 2), (Moments{{1, What::kCleared}}));
}

TEST_F(AlertBookTest, AClockThatGoesBackDoesNotSilenceIt) {
  down(kStart + 1000 * kHour);
  EXPECT_EQ(book_.tick(kStart), Moments{});
  EXPECT_EQ(book_.tick(kStart + 4 * kHour), (Moments{{1, What::kRepeated}}));
}

TEST_F(AlertBookTest, ThereIsAnEndToTheirNumber) {
  for (std::size_t i = 0; i < AlertBook::kMost + 10; ++i) book_.raise("daemon_died", std::to_string(i), "x", kStart);
  EXPECT_EQ(book_.alerts().size(), AlertBook::kMost);
}

}  // namespace
}  // namespace holdfast::alertd
