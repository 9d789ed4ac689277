// The bouncer on a real index, loop and writer: who is paid when originals cannot be read.
#include "qmgr/bouncer.h"

#include <gtest/gtest.h>

#include "tests/unit/qmgr/on_loop.h"
#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {
namespace {

namespace test = storage::test;

constexpr std::uint32_t kAway = 1, kGone = 2;  // segments: one that cannot be read for now, one that is lost

class BouncerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto config = std::make_shared<config::Config>();
    config->hostname = "mx.example.test";
    std::filesystem::create_directories(storage::segments_folder(folder_.path()));
    std::filesystem::create_symlink(away(), away());  // ELOOP: neither gone nor damaged
    index_ = std::move(*storage::QueueIndex::open(folder_.path(), test::kSmallEnv));
    own_ = std::make_unique<OwnSpool>(folder_.path(), 7, *index_);
    reports_ = std::make_unique<ReportWriter>(folder_.path(), *index_, *own_);
    auto hooks = hooks_on(loop_, [this] {
      if (over_()) loop_.stop();
    });
    hooks.begun = [this] { own_->begun(); };
    hooks.prepare = [this](storage::WriteTxn&) { return own_->prepare(); };
    hooks.dropped = [this](const base::Error& error) { own_->dropped(error); };
    const storage::BatchWriter::Options quick{.interval = base::Millis(0)};
    writer_ = std::make_unique<storage::BatchWriter>(index_->env(), quick, std::move(hooks));
    bouncer_ = std::make_unique<Bouncer>(loop_, *index_, *writer_, *reports_, config,
                                         Bouncer::Hooks{.queued = [this](const NewMessage&) { ++queued_; }},
                                         Bouncer::Pace{.later = base::Millis(1), .patience = patience_});
  }
  void TearDown() override { writer_.reset(); }
  std::string away() const {
    return storage::segments_folder(folder_.path()) + "/" + storage::SegmentId{1, kAway}.file_name();
  }
  // Debts for messages first to last, whose records lie in that segment.
  void owe(std::uint64_t first, std::uint64_t last, std::uint32_t segment) {
    auto txn = storage::WriteTxn::begin(index_->env());
    for (auto id = first; id <= last; ++id) {
      storage::MessageRow row;
      row.sender = "s@x.test";
      row.destination = "office";
      row.record = {.writer = 1, .segment = segment, .offset = 4096 * id, .length = 100};
      row.open = 1;
      storage::RecipientState refused{
          .address = "r@example.test", .status = storage::RecipientStatus::kRefused, .reply = "550 no", .dsn = "5.1.1"};
      ASSERT_TRUE(index_->add(**txn, {id}, row, {refused}));
      ASSERT_TRUE(index_->put_owed(**txn, {id}));
    }
    ASSERT_TRUE((*txn)->commit());
  }
  void run_until(std::function<bool()> over) {
    over_ = std::move(over);
    bouncer_->look();
    net::Timer again(loop_, [this] {  // what a round without a commit has changed
      if (over_()) loop_.stop();
    });
    again.every(base::Millis(1));
    loop_.run();
  }
  bool owes(std::uint64_t id) {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return index_->owes(txn, {id});
  }

  test::Folder folder_;
  net::Loop loop_;
  std::unique_ptr<storage::QueueIndex> index_;
  std::unique_ptr<OwnSpool> own_;
  std::unique_ptr<ReportWriter> reports_;
  std::unique_ptr<storage::BatchWriter> writer_;
  std::unique_ptr<Bouncer> bouncer_;
  std::function<bool()> over_;
  std::size_t queued_ = 0;
  base::Millis patience_{3'600'000};
};

TEST_F(BouncerTest, OneThatCannotBeReadStopsNobodyElse) {
  owe(1, 300, kAway);
  owe(301, 310, kGone);
  run_until([this] { return queued_ == 10; });
  EXPECT_TRUE(owes(1));
  EXPECT_FALSE(owes(310));
  EXPECT_EQ(bouncer_->unreadable(), 300U);
  EXPECT_FALSE(bouncer_->postponed());
}

TEST_F(BouncerTest, VeryManyAreTheDisksAffairAndAreNotRemembered) {
  owe(1, 2000, kAway);
  owe(2001, 2005, kGone);
  run_until([this] { return bouncer_->postponed(); });
  EXPECT_EQ(queued_, 0U);
  run_until([this] { return queued_ == 5; });
  EXPECT_EQ(bouncer_->unreadable(), Bouncer::kMostUnreadable);
  EXPECT_TRUE(owes(1)) << "all have their turn, not the lowest ones only";
  std::filesystem::remove(away());
  run_until([this] { return queued_ == 2005; });
  EXPECT_EQ(bouncer_->unreadable(), 0U);
  EXPECT_FALSE(bouncer_->postponed());
}

TEST_F(BouncerTest, WhatWasDeletedIsForgotten) {
  owe(1, 1200, kAway);
  run_until([this] { return bouncer_->postponed(); });
  auto txn = storage::WriteTxn::begin(index_->env());
  for (std::uint64_t id = 1; id <= 1200; ++id) ASSERT_TRUE(index_->remove(**txn, {id}));
  ASSERT_TRUE((*txn)->commit());
  owe(1201, 1201, kGone);
  // A round that was under way is paid out first: the others are forgotten with the next.
  run_until([this] { return queued_ == 1 && bouncer_->unreadable() == 0; });
}

}  // namespace
}  // namespace holdfast::qmgr
