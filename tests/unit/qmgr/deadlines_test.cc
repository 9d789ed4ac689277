// Deadlines and replanning on a real index, loop and writer; only dispatcher and bouncer are played.
#include "qmgr/deadlines.h"

#include <set>

#include <gtest/gtest.h>

#include "qmgr/outcome_effect.h"
#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;
using storage::MessageState;
using storage::RecipientStatus;
namespace test = storage::test;

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;

std::int64_t now_ms() { return base::to_millis(base::wall_now()); }

class DeadlinesTest : public testing::Test {
 protected:
  DeadlinesTest() {
    config::Destination office{.name = "office"};
    office.schedule = {{.until = base::Seconds(4 * 86400), .every = base::Seconds(900)}};
    config_.hostname = "mx.example.test";
    config_.destinations["office"] = office;
    config_.domains["example.test"] = {.name = "example.test", .destination = "office"};
    config_.bounce_road.schedule = office.schedule;
  }
  void SetUp() override {
    std::filesystem::create_directories(storage::segments_folder(folder_.path()));
    index_ = std::move(*storage::QueueIndex::open(folder_.path(), test::kSmallEnv));
    own_ = std::make_unique<OwnSpool>(folder_.path(), 7, *index_);
    reports_ = std::make_unique<ReportWriter>(folder_.path(), *index_, *own_);
  }
  // What the index holds before the start: messages `id` to `last`.
  void add(std::uint64_t id, std::int64_t age_ms, const std::function<void(storage::MessageRow&)>& edit = {},
           std::uint64_t last = 0) {
    storage::MessageRow row;
    row.sender = "s@x.test";
    row.destination = "office";
    row.arrival_ms = now_ms() - age_ms;
    row.due_ms = row.arrival_ms;
    row.open = 1;
    begin_lifetime(row, config_, row.arrival_ms);
    if (edit) edit(row);
    change([&](storage::WriteTxn& txn) {
      do {
        ASSERT_TRUE(
            index_->add(txn, {id}, row, {{.address = "r@example.test", .reply = "451 4.3.0 Later", .dsn = "4.3.0"}}));
      } while (id++ < last);
    });
  }
  void planned_as_configured() {
    change([&](storage::WriteTxn& txn) {
      for (const auto* name : {"office", "bounces"}) ASSERT_TRUE(index_->put_plan(txn, name, plan_of(config_, name)));
    });
  }
  void change(const std::function<void(storage::WriteTxn&)>& what) {
    auto txn = storage::WriteTxn::begin(index_->env());
    what(**txn);
    ASSERT_TRUE((*txn)->commit());
  }
  void start(base::Wall last_lived = base::wall_now()) {
    writer_ = std::make_unique<storage::BatchWriter>(
        index_->env(), storage::BatchWriter::Options{.interval = base::Millis(0)},
        storage::BatchWriter::Hooks{.committed =
                                        [this](std::vector<storage::BatchWriter::Done> dones) {
                                          loop_.post([this, dones = std::move(dones)] {
                                            ++commits_;
                                            for (const auto& done : dones) done();
                                            deadlines_->look();  // as the service does
                                            if (writer_->pending() == 0) loop_.stop();
                                          });
                                        },
                                    .health = {},
                                    .begun = [this] { own_->begun(); },
                                    .prepare = [this](storage::WriteTxn&) { return own_->prepare(); },
                                    .dropped = [this](const base::Error& error) { own_->dropped(error); }});
    deadlines_ = std::make_unique<Deadlines>(
        Deadlines::Parts{.loop = loop_, .index = *index_, .writer = *writer_, .reports = *reports_},
        std::make_shared<const config::Config>(config_),
        Deadlines::Hooks{.claim = [this](QueueId id) { return !in_flight_.contains(id) && claimed_.insert(id).second; },
                         .unclaim = [this](QueueId id) { claimed_.erase(id); },
                         .told = [this](const Told& told) { told_.push_back(told); },
                         .changed = [this] { ++changed_; }});
    deadlines_->start(last_lived);
  }
  // Until all that was submitted is committed.
  void settle() {
    if (writer_->pending() > 0) loop_.run();
  }
  void TearDown() override {
    if (deadlines_) deadlines_->stop();
    writer_.reset();
  }
  std::optional<storage::MessageRow> row(std::uint64_t id) {
    const storage::ReadTxn::View view(read());
    return index_->message(*read_, {id});
  }
  storage::RecipientState recipient(std::uint64_t id) {
    const storage::ReadTxn::View view(read());
    return index_->recipients(*read_, {id}).at(0);
  }
  bool owes(std::uint64_t id) {
    const storage::ReadTxn::View view(read());
    return index_->owes(*read_, {id});
  }
  storage::ReadTxn& read() {
    if (!read_) read_ = std::make_unique<storage::ReadTxn>(index_->env());
    return *read_;
  }
  void reload() {
    deadlines_->configure(std::make_shared<const config::Config>(config_));
    settle();
  }

  test::Folder folder_;
  config::Config config_;
  net::Loop loop_;
  std::unique_ptr<storage::QueueIndex> index_;
  std::unique_ptr<OwnSpool> own_;
  std::unique_ptr<ReportWriter> reports_;
  std::unique_ptr<storage::ReadTxn> read_;
  std::unique_ptr<storage::BatchWriter> writer_;
  std::unique_ptr<Deadlines> deadlines_;
  std::set<QueueId> in_flight_, claimed_;
  std::vector<Told> told_;
  int changed_ = 0, commits_ = 0;
};

TEST_F(DeadlinesTest, WhatIsLateExpiresAndNothingElseIsTouched) {
  planned_as_configured();
  add(1, 4 * kDay + 1000);
  add(2, 3 * kDay);
  start();
  settle();
  EXPECT_EQ(recipient(1).status, RecipientStatus::kRefused);
  EXPECT_EQ(recipient(1).dsn, "5.4.7");
  EXPECT_TRUE(owes(1));
  EXPECT_EQ(recipient(2).status, RecipientStatus::kOpen);
  EXPECT_FALSE(owes(2));
  EXPECT_TRUE(claimed_.empty());
}

TEST_F(DeadlinesTest, MorePagesThanOne) {
  planned_as_configured();
  add(1, 5 * kDay, {}, 450);
  start();
  settle();
  for (std::uint64_t id = 1; id <= 450; ++id) ASSERT_TRUE(owes(id)) << id;
  EXPECT_GE(commits_, 3);
}

TEST_F(DeadlinesTest, OneTimerIsSetForTheNextOne) {
  planned_as_configured();
  add(1, 4 * kDay - 300);
  start();
  EXPECT_EQ(writer_->pending(), 0U);
  loop_.run();  // ends with the commit that the timer brings
  EXPECT_TRUE(owes(1));
  EXPECT_LT(now_ms() - row(1)->arrival_ms - 4 * kDay, 2000);
}

TEST_F(DeadlinesTest, WhoIsHandedOutIsLeftUntilItLands) {
  planned_as_configured();
  add(1, 5 * kDay);
  add(2, 5 * kDay);
  in_flight_ = {{1}};
  start();
  settle();
  EXPECT_FALSE(owes(1));
  EXPECT_TRUE(owes(2));
  in_flight_.clear();
  deadlines_->look();
  settle();
  EXPECT_TRUE(owes(1));
}

TEST_F(DeadlinesTest, NothingExpiresAfterALongAbsence) {
  planned_as_configured();
  add(1, 5 * kDay);
  start(base::wall_now() - std::chrono::hours(30));
  EXPECT_EQ(writer_->pending(), 0U);
  EXPECT_FALSE(owes(1));
}

TEST_F(DeadlinesTest, UntilTheSecondLook) {
  config_.second_look = base::Seconds(1);
  planned_as_configured();
  add(1, 5 * kDay);
  start(base::wall_now() - std::chrono::hours(30));
  EXPECT_FALSE(owes(1));
  loop_.run();
  EXPECT_TRUE(owes(1));
}

TEST_F(DeadlinesTest, ADelayIsToldOnceAndTheMessageLivesOn) {
  config_.delay_warning = base::Seconds(4 * 3600);
  planned_as_configured();
  add(1, 5 * kHour);
  start();
  settle();
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_TRUE(told_[0].report);
  EXPECT_EQ(row(1)->warn_ms, storage::kWarned);
  EXPECT_EQ(recipient(1).status, RecipientStatus::kOpen);
  deadlines_->look();
  settle();
  reload();
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(DeadlinesTest, FrozenMailIsDiscardedAfterItsTime) {
  planned_as_configured();
  add(1, 5 * kDay, [&](auto& row) { freeze(row, "refused", now_ms() - 31 * kDay, config_); });
  add(2, 5 * kDay, [&](auto& row) { freeze(row, "refused", now_ms() - 29 * kDay, config_); });
  start();
  settle();
  EXPECT_FALSE(row(1));
  EXPECT_TRUE(row(2));
}

TEST_F(DeadlinesTest, AnotherLifetimeIsInForceAfterAReloadForAllButAnAdminsWord) {
  planned_as_configured();
  add(1, 2 * kDay, {}, 1100);
  add(2000, 2 * kDay, [](auto& row) { row.own_expiry = true; });
  start();
  settle();
  config_.destinations["office"].schedule.back().until = base::Seconds(7 * 86400);
  reload();
  for (std::uint64_t id = 1; id <= 1100; ++id) ASSERT_EQ(row(id)->expires_ms, row(id)->arrival_ms + 7 * kDay) << id;
  EXPECT_EQ(row(2000)->expires_ms, row(2000)->arrival_ms + 4 * kDay);
  config_.destinations["office"].schedule.back().until = base::Seconds(86400);
  reload();
  EXPECT_TRUE(owes(1)) << "a shorter one is over at once";
  EXPECT_FALSE(owes(2000));
}

TEST_F(DeadlinesTest, ARestartWithAnotherLifetimeCountsToo) {
  planned_as_configured();
  add(1, 2 * kDay);
  config_.destinations["office"].schedule.back().until = base::Seconds(86400);
  start();
  settle();
  EXPECT_TRUE(owes(1));
}

TEST_F(DeadlinesTest, AnIndexThatWasLostGivesUpNothingAtOnce) {
  add(1, 5 * kDay, [](auto& row) { row.expires_ms = 0; });
  add(2, 1000, [](auto& row) { row.expires_ms = 0; });
  start();
  settle();
  EXPECT_FALSE(owes(1));
  EXPECT_GT(row(1)->expires_ms, now_ms() + kDay - 60'000);
  EXPECT_EQ(row(2)->expires_ms, row(2)->arrival_ms + 4 * kDay);
}

TEST_F(DeadlinesTest, ADebtThatWasLostIsFoundAgain) {
  planned_as_configured();
  add(1, 5 * kDay);
  change([&](storage::WriteTxn& txn) {
    ASSERT_TRUE(index_->put_recipient(
        txn, {1}, 0, {.address = "r@example.test", .status = RecipientStatus::kRefused, .reply = "550 No"}));
  });
  start();
  settle();
  EXPECT_TRUE(owes(1));
  EXPECT_EQ(recipient(1).reply, "550 No");
}

TEST_F(DeadlinesTest, AttemptsPlannedByAClockOfTheFutureComeBack) {
  planned_as_configured();
  add(1, -kDay, [](auto& row) {  // came while the clock was a day ahead
    row.attempts = 1;
    row.last_attempt_ms = now_ms() + kDay;
    row.due_ms = row.last_attempt_ms + 900'000;
  });
  add(2, kHour, [](auto& row) { row.due_ms = now_ms() + 900'000; });
  add(3, kHour, [](auto& row) { row.due_ms = kNever; });
  const auto untouched = row(2)->due_ms;
  start();
  settle();
  EXPECT_LE(row(1)->due_ms, now_ms() + 960'000);
  EXPECT_EQ(row(2)->due_ms, untouched);
  EXPECT_EQ(row(3)->due_ms, kNever) << "it waits for its report";
  EXPECT_EQ(changed_, 1);
}

TEST_F(DeadlinesTest, AFasterScheduleIsInForceAtOnce) {
  config_.destinations["office"].schedule = {{.until = base::Seconds(4 * 86400), .every = base::Seconds(6 * 3600)}};
  planned_as_configured();
  add(1, kDay, [](auto& row) { row.due_ms = now_ms() + 5 * kHour; });
  start();
  settle();
  config_.destinations["office"].schedule = {{.until = base::Seconds(4 * 86400), .every = base::Seconds(900)}};
  reload();
  EXPECT_LE(row(1)->due_ms, now_ms() + 960'000);
}

}  // namespace
}  // namespace holdfast::qmgr
