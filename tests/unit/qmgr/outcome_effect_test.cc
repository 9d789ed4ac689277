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
    r.reply = s == ipc::RecipientStatus::kSent ? "250 ok" : s == ipc::RecipientStatus::kRefused ? "550 no" : "451 later";
    o.recipients.push_back(r);
  }
  return o;
}

Ruling ruling(Treatment how = Treatment::kAsIs, std::int64_t longest_wait_ms = 0) {
  return {.how = how, .now_ms = kNow, .longest_wait_ms = longest_wait_ms, .jitter = 0.5,
          .schedule = {{.until = base::Seconds(86400), .every = base::Seconds(900), .start = {}, .factor = 1}}};
}

constexpr auto kSent = ipc::RecipientStatus::kSent;
constexpr auto kDeferred = ipc::RecipientStatus::kDeferred;
constexpr auto kRefused = ipc::RecipientStatus::kRefused;

TEST(OutcomeEffect, AllSentIsDone) {
  auto m = message(2);
  EXPECT_EQ(apply_outcome(m.row, m.to, outcome({kSent, kSent}), ruling()), Fate::kDone);
}

TEST(OutcomeEffect, EachRecipientKeepsItsOwn) {
  auto m = message(3);
  EXPECT_EQ(apply_outcome(m.row, m.to, outcome({kSent, kRefused, kDeferred}), ruling()), Fate::kDeferred);
  EXPECT_EQ(m.to[0].status, storage::RecipientStatus::kSent);
  EXPECT_EQ(m.to[1].status, storage::RecipientStatus::kRefused);
  EXPECT_EQ(m.to[2].status, storage::RecipientStatus::kOpen);
  EXPECT_EQ(m.row.open, 2U);
  EXPECT_EQ(m.row.attempts, 1U);
  EXPECT_EQ(m.row.due_ms, kNow + 900'000);
  EXPECT_EQ(m.row.reason, "451 later");
  auto second = outcome({kSent}, 2);
  second.recipients[0].index = 2;
  EXPECT_EQ(apply_outcome(m.row, m.to, second, ruling()), Fate::kHeld) << "the refused one is left";
  EXPECT_EQ(m.row.state, MessageState::kHeld);
  EXPECT_EQ(m.row.reason, "refused: 550 no");
}

TEST(OutcomeEffect, TheSameAttemptCountsOnce) {
  auto m = message(1);
  ASSERT_EQ(apply_outcome(m.row, m.to, outcome({kDeferred}), ruling()), Fate::kDeferred);
  const auto after = m.row;
  EXPECT_EQ(apply_outcome(m.row, m.to, outcome({kSent}), ruling()), Fate::kStale);
  EXPECT_EQ(m.row, after);
  auto other = outcome({kSent}, 2);
  other.generation = 1;
  EXPECT_EQ(apply_outcome(m.row, m.to, other, ruling()), Fate::kStale);
}

TEST(OutcomeEffect, SparedRefusalsOnlyDefer) {
  auto m = message(1);
  EXPECT_EQ(apply_outcome(m.row, m.to, outcome({kRefused}), ruling(Treatment::kSpare)), Fate::kDeferred);
  EXPECT_EQ(m.to[0].status, storage::RecipientStatus::kOpen);
  EXPECT_EQ(m.to[0].reply, "550 no");
  EXPECT_EQ(m.row.due_ms, kNow + 900'000);
  auto n = message(1);
  apply_outcome(n.row, n.to, outcome({kRefused}), ruling(Treatment::kSpare, 120'000));
  EXPECT_EQ(n.row.due_ms, kNow) << "while draining the lane sets the pace";
}

TEST(OutcomeEffect, WhileDrainingADeferredMessageComesBackSoon) {
  auto m = message(1);
  apply_outcome(m.row, m.to, outcome({kDeferred}), ruling(Treatment::kAsIs, 120'000));
  EXPECT_EQ(m.row.due_ms, kNow + 120'000);
}

TEST(OutcomeEffect, TheThirdLossHolds) {
  auto m = message(1);
  for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
    auto o = outcome({kDeferred}, attempt);
    o.connection_lost = true;
    EXPECT_EQ(apply_outcome(m.row, m.to, o, ruling()), attempt < 3 ? Fate::kDeferred : Fate::kHeld);
  }
  EXPECT_NE(m.row.reason.find("lost 3 times"), std::string::npos);
}

TEST(OutcomeEffect, ASparedLossIsNotCounted) {
  auto m = message(1);
  for (std::uint32_t attempt = 1; attempt <= 5; ++attempt) {
    auto o = outcome({kDeferred}, attempt);
    o.connection_lost = true;
    EXPECT_EQ(apply_outcome(m.row, m.to, o, ruling(Treatment::kSpare)), Fate::kDeferred);
  }
}

TEST(OutcomeEffect, DamagedIsHeld) {
  auto m = message(1);
  auto o = outcome({kDeferred});
  o.damaged = true;
  EXPECT_EQ(apply_outcome(m.row, m.to, o, ruling()), Fate::kHeld);
}

TEST(OutcomeEffect, HeldMeanwhileStaysHeldUnlessItIsDone) {
  auto m = message(1);
  m.row.state = MessageState::kHeld;
  m.row.reason = "held by the admin";
  EXPECT_EQ(apply_outcome(m.row, m.to, outcome({kDeferred}), ruling()), Fate::kHeld);
  EXPECT_EQ(m.row.reason, "held by the admin");
  EXPECT_EQ(apply_outcome(m.row, m.to, outcome({kSent}, 2), ruling()), Fate::kDone);
}

TEST(OutcomeEffect, IndexesOutOfBoundsAreIgnored) {
  auto m = message(1);
  auto o = outcome({kSent});
  o.recipients[0].index = 7;
  EXPECT_EQ(apply_outcome(m.row, m.to, o, ruling()), Fate::kDeferred);
}

TEST(OutcomeEffect, ReopenGivesEverybodyAnotherChance) {
  auto m = message(2);
  apply_outcome(m.row, m.to, outcome({kSent, kRefused}), ruling());
  ASSERT_EQ(m.row.state, MessageState::kHeld);
  reopen(m.row, m.to, kNow + 5);
  EXPECT_EQ(m.row.state, MessageState::kDeferred);
  EXPECT_EQ(m.row.due_ms, kNow + 5);
  EXPECT_EQ(m.to[0].status, storage::RecipientStatus::kSent);
  EXPECT_EQ(m.to[1].status, storage::RecipientStatus::kOpen);
}

}  // namespace
}  // namespace holdfast::qmgr
