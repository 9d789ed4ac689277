#include "qmgr/outcome_effect.h"

#include <gtest/gtest.h>

namespace holdfast::qmgr {
namespace {

using storage::MessageState;

constexpr std::int64_t kNow = 1'000'000'000;

struct Message {
  storage::MessageRow row;
  std::vector<storage::RecipientState> to;
};

Message message(std::size_t recipients) {
  Message m;
  m.row.sender = "a@sender.test";
  m.row.destination = "office";
  m.row.expires_ms = kNow + 86'400'000;
  m.row.arrival_ms = kNow - 1000;
  m.row.due_ms = m.row.arrival_ms;
  m.row.open = static_cast<std::uint32_t>(recipients);
  m.to.resize(recipients);
  for (std::size_t i = 0; i < recipients; ++i) m.to[i].address = "r" + std::to_string(i) + "@d.test";
  return m;
}

ipc::Outcome outcome(std::initializer_list<ipc::RecipientStatus> statuses, std::uint32_t attempt = 1) {
  ipc::Outcome o;
  o.attempt = attempt;
  std::uint32_t index = 0;
  for (const auto s : statuses) {
    ipc::RecipientOutcome r;
    r.index = index++;
    r.status = static_cast<std::uint8_t>(s);
    r.stage = mail::Stage::kRcpt;
    r.dsn = s == ipc::RecipientStatus::kSent ? "2.0.0" : s == ipc::RecipientStatus::kRefused ? "5.0.0" : "4.0.0";
    r.reply = s == ipc::RecipientStatus::kSent      ? "250 ok"
              : s == ipc::RecipientStatus::kRefused ? "550 no"
                                                    : "451 later";
    o.recipients.push_back(r);
  }
  return o;
}

config::ConfigPtr config(bool scheduled = false) {
  auto c = std::make_shared<config::Config>();
  config::Destination office{.name = "office"};
  office.schedule = {{.until = base::Seconds(4 * 86400), .every = base::Seconds(900), .start = {}, .factor = 1}};
  c->destinations["office"] = office;
  c->bounce_road.schedule = office.schedule;
  c->bounces.scheduled = scheduled;
  return c;
}

Ruling ruling(Treatment how = Treatment::kAsIs, std::int64_t longest_wait_ms = 0) {
  return {.how = how,
          .now_ms = kNow,
          .draining = longest_wait_ms > 0,
          .longest_wait_ms = longest_wait_ms,
          .jitter = {.percent = 0, .chance = 0.5},
          .schedule = {{.until = base::Seconds(86400), .every = base::Seconds(900), .start = {}, .factor = 1}},
          .config = config()};
}

Fate fate_of(Message& m, const ipc::Outcome& o, const Ruling& r = ruling()) {
  return apply_outcome(m.row, m.to, o, r).fate;
}

constexpr auto kSent = ipc::RecipientStatus::kSent;
constexpr auto kDeferred = ipc::RecipientStatus::kDeferred;
constexpr auto kRefused = ipc::RecipientStatus::kRefused;

TEST(OutcomeEffect, AllSentIsDone) {
  auto m = message(2);
  EXPECT_EQ(fate_of(m, outcome({kSent, kSent})), Fate::kDone);
}

TEST(OutcomeEffect, EachRecipientKeepsItsOwn) {
  auto m = message(3);
  EXPECT_EQ(fate_of(m, outcome({kSent, kRefused, kDeferred})), Fate::kDeferred);
  EXPECT_EQ(m.to[0].status, storage::RecipientStatus::kSent);
  EXPECT_EQ(m.to[1].status, storage::RecipientStatus::kRefused);
  EXPECT_EQ(m.to[2].status, storage::RecipientStatus::kOpen);
  EXPECT_EQ(m.row.open, 2U);
  EXPECT_EQ(m.row.attempts, 1U);
  EXPECT_EQ(m.row.due_ms, kNow + 900'000);
  EXPECT_EQ(m.row.reason, "451 later");
  auto second = outcome({kSent}, 2);
  second.recipients[0].index = 2;
  m.to[1].status = storage::RecipientStatus::kReported;
  EXPECT_EQ(fate_of(m, second), Fate::kDone) << "the refused one was reported meanwhile";
}

TEST(OutcomeEffect, WhoWasAskedForMeanwhileIsTriedAgainAtOnce) {
  for (const auto how : {Treatment::kAsIs, Treatment::kSpare}) {
    auto m = message(1);
    auto r = ruling(how, how == Treatment::kSpare ? 120'000 : 0);
    r.draining = false;
    r.handed_due_ms = m.row.due_ms;
    m.row.due_ms = kNow - 5;  // `queue retry`, while it was handed over
    EXPECT_EQ(fate_of(m, outcome({kDeferred}), r), Fate::kDeferred);
    EXPECT_EQ(m.row.due_ms, kNow);
    r.handed_due_ms = m.row.due_ms;
    EXPECT_EQ(fate_of(m, outcome({kDeferred}, 2), r), Fate::kDeferred);
    EXPECT_GT(m.row.due_ms, kNow) << "once";
  }
}

TEST(OutcomeEffect, ARefusalIsOwedToTheSender) {
  auto m = message(2);
  auto effect = apply_outcome(m.row, m.to, outcome({kSent, kRefused}), ruling());
  EXPECT_EQ(effect.fate, Fate::kWaiting);
  EXPECT_TRUE(effect.owed);
  EXPECT_EQ(effect.refused, std::vector<std::size_t>{1});
  EXPECT_EQ(m.row.reason, "refused: 550 no");
  EXPECT_EQ(storage::deadline_ms(m.row), 0) << "it must not expire as well";
  EXPECT_GT(m.row.due_ms, kNow + 86'400'000LL * 365) << "nobody is left to try";
  auto n = message(2);
  effect = apply_outcome(n.row, n.to, outcome({kDeferred, kRefused}), ruling());
  EXPECT_EQ(effect.fate, Fate::kDeferred);
  EXPECT_TRUE(effect.owed);
}

TEST(OutcomeEffect, WhoIsGivenUpStaysSo) {
  auto m = message(1);
  m.to[0].status = storage::RecipientStatus::kRefused;
  const auto effect = apply_outcome(m.row, m.to, outcome({kSent}), ruling());
  EXPECT_EQ(m.to[0].status, storage::RecipientStatus::kRefused) << "it was not tried: an old outcome's word";
  EXPECT_TRUE(effect.refused.empty());
  EXPECT_TRUE(effect.owed) << "if it is owed already nothing is lost";
}

TEST(OutcomeEffect, HeldOnesRefusalIsOwedToo) {
  auto m = message(1);
  m.row.state = MessageState::kHeld;
  const auto effect = apply_outcome(m.row, m.to, outcome({kRefused}), ruling());
  EXPECT_EQ(effect.fate, Fate::kHeld);
  EXPECT_TRUE(effect.owed);
}

TEST(OutcomeEffect, ANullSendersRefusalFreezes) {
  auto m = message(2);
  m.row.sender.clear();
  EXPECT_EQ(fate_of(m, outcome({kDeferred, kRefused})), Fate::kDeferred) << "the other may still get it";
  auto second = outcome({kRefused}, 2);
  const auto effect = apply_outcome(m.row, m.to, second, ruling());
  EXPECT_EQ(effect.fate, Fate::kFrozen);
  EXPECT_FALSE(effect.owed);
  EXPECT_EQ(m.row.state, MessageState::kFrozen);
  EXPECT_EQ(m.row.reason, "refused: 550 no");
  EXPECT_EQ(m.row.discard_ms, kNow + 30LL * 86'400'000);
  auto temporary = message(1);
  temporary.row.sender.clear();
  EXPECT_EQ(fate_of(temporary, outcome({kDeferred})), Fate::kDeferred) << "no report of ours: it has its schedule";
}

TEST(OutcomeEffect, ABounceHasOneAttempt) {
  for (const auto status : {kDeferred, kRefused}) {
    auto m = message(1);
    m.row.sender.clear();
    m.row.report_of = 7;
    EXPECT_EQ(fate_of(m, outcome({status}, 1), ruling(Treatment::kSpare)), Fate::kDeferred)
        << "the destination's fault";
    EXPECT_EQ(fate_of(m, outcome({status}, 2)), Fate::kFrozen);
    EXPECT_NE(m.row.reason.find("its one attempt failed: "), std::string::npos);
    reopen(m.row, m.to, kNow + 5);
    EXPECT_EQ(m.row.state, MessageState::kDeferred) << "thawed";
    EXPECT_EQ(m.to[0].status, storage::RecipientStatus::kOpen);
    EXPECT_EQ(fate_of(m, outcome({status}, 3)), Fate::kFrozen) << "one attempt more";
  }
}

TEST(OutcomeEffect, ABounceWithAScheduleIsTriedOn) {
  auto m = message(1);
  m.row.sender.clear();
  m.row.report_of = 7;
  auto r = ruling();
  r.config = config(true);
  EXPECT_EQ(fate_of(m, outcome({kDeferred}), r), Fate::kDeferred);
  EXPECT_EQ(m.row.due_ms, kNow + 900'000);
  EXPECT_EQ(fate_of(m, outcome({kRefused}, 2), r), Fate::kFrozen);
}

TEST(OutcomeEffect, UnfilteredMailRefusedForWhatItIsIsHeld) {
  auto m = message(1);
  m.row.unfiltered = true;
  auto o = outcome({kRefused});
  o.recipients[0].stage = mail::Stage::kDot;
  o.recipients[0].dsn = "5.7.1";
  o.recipients[0].reply = "550 5.7.1 spam";
  const auto effect = apply_outcome(m.row, m.to, o, ruling());
  EXPECT_EQ(effect.fate, Fate::kHeld);
  EXPECT_FALSE(effect.owed);
  EXPECT_EQ(m.row.reason, "it skipped the filters and was refused: 550 5.7.1 spam");
  reopen(m.row, m.to, kNow);
  EXPECT_EQ(m.to[0].status, storage::RecipientStatus::kOpen) << "released";
}

TEST(OutcomeEffect, UnfilteredMailToNobodyIsBounced) {
  auto m = message(1);
  m.row.unfiltered = true;
  EXPECT_EQ(fate_of(m, outcome({kRefused})), Fate::kWaiting) << "a plain 550 at RCPT";
}

TEST(OutcomeEffect, WhatIsAboutTheMailbox) {
  using mail::Stage;
  EXPECT_TRUE(is_about_mailbox("550 5.1.1 no", "5.1.1", Stage::kRcpt));
  EXPECT_TRUE(is_about_mailbox("552 5.2.2 full", "5.2.2", Stage::kDot));
  EXPECT_TRUE(is_about_mailbox("550 5.4.1 no", "5.4.1", Stage::kMail));
  EXPECT_TRUE(is_about_mailbox("550 no", "5.0.0", Stage::kRcpt));
  EXPECT_FALSE(is_about_mailbox("550 no", "5.0.0", Stage::kDot));
  EXPECT_FALSE(is_about_mailbox("554 no", "5.0.0", Stage::kRcpt));
  EXPECT_FALSE(is_about_mailbox("550 5.1.8 bad sender", "5.1.8", Stage::kRcpt));
  EXPECT_FALSE(is_about_mailbox("550 5.7.1 no", "5.7.1", Stage::kRcpt));
  EXPECT_FALSE(is_about_mailbox("554 5.6.0 no", "5.6.0", Stage::kDot));
}

TEST(OutcomeEffect, TheRestOfAMessageIsSettled) {
  const auto settle = [](Message& m) { return settle_rest(m.row, m.to, kNow, *config()); };
  auto m = message(2);
  m.to[0].status = storage::RecipientStatus::kReported;
  EXPECT_EQ(settle(m), Rest::kOpen);
  EXPECT_EQ(m.row.open, 1U);
  m.to[1].status = storage::RecipientStatus::kSent;
  EXPECT_EQ(settle(m), Rest::kNobody);
  m.to[1].status = storage::RecipientStatus::kRefused;
  m.to[1].withheld = true;
  EXPECT_EQ(settle(m), Rest::kHeld);
  EXPECT_EQ(m.row.state, MessageState::kHeld);
}

TEST(OutcomeEffect, TheSameAttemptCountsOnce) {
  auto m = message(1);
  ASSERT_EQ(fate_of(m, outcome({kDeferred})), Fate::kDeferred);
  const auto after = m.row;
  EXPECT_EQ(fate_of(m, outcome({kSent})), Fate::kStale);
  EXPECT_EQ(m.row, after);
  auto other = outcome({kSent}, 2);
  other.generation = 1;
  EXPECT_EQ(fate_of(m, other), Fate::kStale);
}

TEST(OutcomeEffect, SparedRefusalsOnlyDefer) {
  auto m = message(1);
  EXPECT_EQ(fate_of(m, outcome({kRefused}), ruling(Treatment::kSpare)), Fate::kDeferred);
  EXPECT_EQ(m.to[0].status, storage::RecipientStatus::kOpen);
  EXPECT_EQ(m.to[0].reply, "550 no");
  EXPECT_EQ(m.row.due_ms, kNow + 900'000);
  auto n = message(1);
  apply_outcome(n.row, n.to, outcome({kRefused}), ruling(Treatment::kSpare, 120'000));
  EXPECT_EQ(n.row.due_ms, kNow) << "while draining the lane sets the pace";
}

TEST(OutcomeEffect, WhileDrainingADeferredMessageComesBackSoon) {
  auto m = message(1);
  fate_of(m, outcome({kDeferred}), ruling(Treatment::kAsIs, 120'000));
  EXPECT_EQ(m.row.due_ms, kNow + 120'000);
}

TEST(OutcomeEffect, TheThirdLossHolds) {
  auto m = message(1);
  for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
    auto o = outcome({kDeferred}, attempt);
    o.connection_lost = true;
    EXPECT_EQ(fate_of(m, o), attempt < 3 ? Fate::kDeferred : Fate::kHeld);
  }
  EXPECT_NE(m.row.reason.find("lost 3 times"), std::string::npos);
}

TEST(OutcomeEffect, ASparedLossIsNotCounted) {
  auto m = message(1);
  for (std::uint32_t attempt = 1; attempt <= 5; ++attempt) {
    auto o = outcome({kDeferred}, attempt);
    o.connection_lost = true;
    EXPECT_EQ(fate_of(m, o, ruling(Treatment::kSpare)), Fate::kDeferred);
  }
}

TEST(OutcomeEffect, DamagedIsHeld) {
  auto m = message(1);
  auto o = outcome({kDeferred});
  o.damaged = true;
  EXPECT_EQ(fate_of(m, o), Fate::kHeld);
}

TEST(OutcomeEffect, HeldMeanwhileStaysHeldUnlessItIsDone) {
  auto m = message(1);
  m.row.state = MessageState::kHeld;
  m.row.reason = "held by the admin";
  EXPECT_EQ(fate_of(m, outcome({kDeferred})), Fate::kHeld);
  EXPECT_EQ(m.row.reason, "held by the admin");
  EXPECT_EQ(fate_of(m, outcome({kSent}, 2)), Fate::kDone);
}

TEST(OutcomeEffect, IndexesOutOfBoundsAreIgnored) {
  auto m = message(1);
  auto o = outcome({kSent});
  o.recipients[0].index = 7;
  EXPECT_EQ(fate_of(m, o), Fate::kDeferred);
}

TEST(OutcomeEffect, ReopenGivesEverybodyAnotherChance) {
  auto m = message(2);
  m.row.state = MessageState::kHeld;
  m.to[0].status = storage::RecipientStatus::kSent;
  m.to[1].status = storage::RecipientStatus::kRefused;
  reopen(m.row, m.to, kNow + 5);
  EXPECT_EQ(m.row.state, MessageState::kDeferred);
  EXPECT_EQ(m.row.due_ms, kNow + 5);
  EXPECT_EQ(m.to[0].status, storage::RecipientStatus::kSent);
  EXPECT_EQ(m.to[1].status, storage::RecipientStatus::kOpen);
  m.to[1].status = storage::RecipientStatus::kRefused;
  reopen(m.row, m.to, kNow + 5);
  EXPECT_EQ(m.to[1].status, storage::RecipientStatus::kRefused) << "its sender is about to hear of it";
}

TEST(OutcomeEffect, WhatFiltersRefuseAfterAllIsHeldAndNobodyIsTold) {
  auto m = message(2);
  m.row.unfiltered = true;
  auto o = outcome({kDeferred, kDeferred});
  o.rescan = ipc::RescanWord::kHold;
  o.recipients[0].reply = o.recipients[1].reply = "rescan: clamav: 550 5.7.1 Virus";
  const auto effect = apply_outcome(m.row, m.to, o, ruling());
  EXPECT_EQ(effect.fate, Fate::kHeld);
  EXPECT_FALSE(effect.owed);
  EXPECT_EQ(m.row.state, MessageState::kHeld);
  EXPECT_EQ(m.row.reason, "rescan: clamav: 550 5.7.1 Virus");
  EXPECT_EQ(m.row.rescan, storage::Rescan::kRefused);
  EXPECT_EQ(m.row.open, 2u);
}

TEST(OutcomeEffect, FiltersThatSayNotNowAreAskedAgain) {
  auto m = message(1);
  auto o = outcome({kDeferred});
  o.rescan = ipc::RescanWord::kLater;
  EXPECT_EQ(apply_outcome(m.row, m.to, o, ruling()).fate, Fate::kDeferred);
  EXPECT_GT(m.row.due_ms, kNow);
  EXPECT_EQ(m.row.rescan, storage::Rescan::kNone);
}

}  // namespace
}  // namespace holdfast::qmgr
