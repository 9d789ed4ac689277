#include "qmgr/lifetime.h"

#include <gtest/gtest.h>

#include "qmgr/outcome_effect.h"

namespace holdfast::qmgr {
namespace {

using storage::MessageState;
using storage::RecipientStatus;

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour, kArrival = 1'790'000'000'000;

struct Mail {
  config::Config config;
  storage::MessageRow row;
  std::vector<storage::RecipientState> recipients;

  Mail() {
    config::Destination office{.name = "office"};
    office.schedule = {{.until = base::Seconds(4 * 86400), .every = base::Seconds(900)}};
    config.destinations["office"] = office;
    config.delay_warning = base::Seconds(4 * 3600);
    row.destination = "office";
    row.sender = "s@x.test";
    row.arrival_ms = kArrival;
    recipients = {{.address = "a@d.test", .status = RecipientStatus::kSent, .reply = "250 2.0.0 Ok"},
                  {.address = "b@d.test", .reply = "451 4.3.0 Later"},
                  {.address = "c@d.test"}};
  }
  void begin() { begin_lifetime(row, config, kArrival); }
  Due meet(std::int64_t age) { return meet_deadline(row, recipients, kArrival + age, config); }
};

TEST(Lifetime, BeginsWithTheDestinationsSchedule) {
  Mail m;
  m.begin();
  EXPECT_EQ(m.row.expires_ms, kArrival + 4 * kDay);
  EXPECT_EQ(m.row.warn_ms, kArrival + 4 * kHour);
  EXPECT_FALSE(m.row.own_expiry);
}

TEST(Lifetime, OfAnUnknownDestinationIsTheDefaultsAndNeverEndless) {
  Mail m;
  m.row.destination = "gone";
  m.begin();
  EXPECT_EQ(m.row.expires_ms, kArrival + 4 * kDay);
}

TEST(Lifetime, AnImportKeepsItsOwn) {
  Mail m;
  m.row.expires_ms = kArrival + kHour;
  m.begin();
  EXPECT_EQ(m.row.expires_ms, kArrival + kHour);
  EXPECT_TRUE(m.row.own_expiry);
}

TEST(Lifetime, NobodyIsWarnedWhoCannotBeOrNeedNotBe) {
  Mail null_sender, off, brief;
  null_sender.row.sender.clear();
  off.config.delay_warning = base::Seconds(0);
  brief.config.destinations["office"].early_warning = false;
  for (Mail* m : {&null_sender, &off, &brief}) {
    m->begin();
    EXPECT_EQ(m->row.warn_ms, 0);
    EXPECT_EQ(m->row.expires_ms, kArrival + 4 * kDay);
  }
}

TEST(Lifetime, WhatComesLongAfterItsArrivalGetsTimeForAttempts) {
  Mail lost, short_lived, soon;
  const auto now = kArrival + 12 * kDay;
  begin_lifetime(lost.row, lost.config, now);
  EXPECT_EQ(lost.row.expires_ms, now + kDay);
  EXPECT_TRUE(lost.row.own_expiry);
  EXPECT_EQ(lost.row.warn_ms, storage::kWarned);
  short_lived.config.destinations["office"].schedule = {{.until = base::Seconds(3600), .every = base::Seconds(900)}};
  begin_lifetime(short_lived.row, short_lived.config, now);
  EXPECT_EQ(short_lived.row.expires_ms, now + kHour);
  begin_lifetime(soon.row, soon.config, kArrival + 1000);
  EXPECT_EQ(soon.row.expires_ms, kArrival + 4 * kDay);
}

TEST(Lifetime, MailOfAClockThatWasAheadIsDueNow) {
  Mail m;
  m.row.due_ms = kArrival;
  begin_lifetime(m.row, m.config, kArrival - 3 * kHour);
  EXPECT_EQ(m.row.due_ms, kArrival - 3 * kHour);
}

TEST(Replan, AnIndexMadeAnewGivesUpNothingAtOnce) {
  Mail m;
  const auto now = kArrival + 12 * kDay;
  EXPECT_TRUE(replan(m.row, {.lifetime_ms = 4 * kDay, .warn_ms = 0}, true, now));
  EXPECT_EQ(m.row.expires_ms, now + kDay);
}

TEST(MeetDeadline, NothingBeforeItsTime) {
  Mail m;
  m.begin();
  EXPECT_EQ(m.meet(4 * kHour - 1), Due::kNothing);
}

TEST(MeetDeadline, TheWarningComesFirstAndOnce) {
  Mail m;
  m.begin();
  EXPECT_EQ(m.meet(4 * kHour), Due::kWarn);
  m.row.warn_ms = storage::kWarned;
  EXPECT_EQ(storage::deadline_ms(m.row), kArrival + 4 * kDay);
  EXPECT_EQ(m.meet(5 * kHour), Due::kNothing);
}

TEST(MeetDeadline, ExpiryEndsWhoIsOpenAndKeepsTheLastWord) {
  Mail m;
  m.begin();
  EXPECT_EQ(m.meet(4 * kDay), Due::kExpired) << "though it was never warned of";
  EXPECT_EQ(m.recipients[0].status, RecipientStatus::kSent);
  EXPECT_EQ(m.recipients[0].reply, "250 2.0.0 Ok");
  EXPECT_EQ(m.recipients[1].status, RecipientStatus::kRefused);
  EXPECT_EQ(m.recipients[1].dsn, "5.4.7");
  EXPECT_EQ(m.recipients[1].reply,
            "could not be delivered for 4d, and is given up; the last answer was: 451 4.3.0 Later");
  EXPECT_EQ(m.recipients[2].reply, "could not be delivered for 4d, and is given up");
  EXPECT_EQ(m.row.state, MessageState::kDeferred);
  EXPECT_EQ(storage::deadline_ms(m.row), 0) << "it must not expire again while the report waits";
  EXPECT_EQ(m.row.due_ms, kNever);
}

TEST(MeetDeadline, WithoutASenderItIsFrozen) {
  Mail m;
  m.row.sender.clear();
  m.begin();
  EXPECT_EQ(m.meet(4 * kDay), Due::kFrozen);
  EXPECT_EQ(m.row.state, MessageState::kFrozen);
  EXPECT_EQ(storage::deadline_ms(m.row), kArrival + 34 * kDay);
  EXPECT_EQ(m.meet(34 * kDay - 1), Due::kNothing);
  EXPECT_EQ(m.meet(34 * kDay), Due::kDiscard);
}

TEST(MeetDeadline, FrozenMayBeKeptForEver) {
  Mail m;
  m.config.frozen_keep = base::Seconds(0);
  freeze(m.row, "why", kArrival, m.config);
  EXPECT_EQ(storage::deadline_ms(m.row), 0);
  EXPECT_EQ(m.meet(1000 * kDay), Due::kNothing);
}

TEST(MeetDeadline, HeldMailDoesNotExpire) {
  Mail m;
  m.begin();
  m.row.state = MessageState::kHeld;
  EXPECT_EQ(m.meet(100 * kDay), Due::kNothing);
}

TEST(MeetDeadline, WhomNobodyWaitsForIsOnlyTakenOff) {
  Mail m;
  m.begin();
  for (auto& r : m.recipients) r.status = RecipientStatus::kRefused;
  EXPECT_EQ(m.meet(4 * kDay), Due::kSettled);
  EXPECT_EQ(storage::deadline_ms(m.row), 0);
}

TEST(Replan, CountsFromTheArrivalAndLeavesAnAdminsWord) {
  Mail m;
  m.begin();
  EXPECT_TRUE(replan(m.row, {.lifetime_ms = 7 * kDay, .warn_ms = 0}, false, kArrival));
  EXPECT_EQ(m.row.expires_ms, kArrival + 7 * kDay);
  EXPECT_EQ(m.row.warn_ms, 0);
  EXPECT_FALSE(replan(m.row, {.lifetime_ms = 7 * kDay, .warn_ms = 0}, false, kArrival)) << "a second time";
  m.row.own_expiry = true;
  EXPECT_FALSE(replan(m.row, {.lifetime_ms = kDay, .warn_ms = 0}, false, kArrival));
  EXPECT_EQ(m.row.expires_ms, kArrival + 7 * kDay);
}

TEST(Replan, NobodyIsWarnedTwice) {
  Mail m;
  m.begin();
  m.row.warn_ms = storage::kWarned;
  replan(m.row, {.lifetime_ms = 4 * kDay, .warn_ms = 8 * kHour}, false, kArrival);
  EXPECT_EQ(m.row.warn_ms, storage::kWarned);
}

TEST(Replan, WhoWaitsForAReportDoesNotExpireAgain) {
  Mail m;
  m.begin();
  m.meet(4 * kDay);
  EXPECT_FALSE(replan(m.row, {.lifetime_ms = 7 * kDay, .warn_ms = kHour}, false, kArrival));
}

TEST(Replan, AnIndexMadeAnewGetsDeadlinesButKeepsThoseOfRecords) {
  Mail lost, imported;
  imported.row.expires_ms = kArrival + kHour;
  EXPECT_TRUE(replan(lost.row, {.lifetime_ms = 4 * kDay, .warn_ms = 0}, true, kArrival));
  EXPECT_EQ(lost.row.expires_ms, kArrival + 4 * kDay);
  EXPECT_FALSE(lost.row.own_expiry);
  replan(imported.row, {.lifetime_ms = 4 * kDay, .warn_ms = 0}, true, kArrival);
  EXPECT_EQ(imported.row.expires_ms, kArrival + kHour);
  EXPECT_TRUE(imported.row.own_expiry);
  replan(lost.row, {.lifetime_ms = 4 * kDay, .warn_ms = 0}, true, kArrival);
  EXPECT_FALSE(lost.row.own_expiry) << "begun again after a crash";
}

}  // namespace
}  // namespace holdfast::qmgr
