#include "common/storage/queue_index.h"

#include <gtest/gtest.h>

#include "common/storage/queue_tables.h"
#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

using mail::QueueId;
using Place = QueueIndex::Place;

class QueueIndexTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = QueueIndex::open(folder_.path(), test::kSmallEnv);
    ASSERT_TRUE(opened);
    index_ = std::move(*opened);
  }
  static MessageRow row(std::int64_t arrival, std::string destination = "office", std::uint64_t size = 100) {
    MessageRow r;
    r.record = {1, 1, kBlock, 200};
    r.size = size;
    r.sender = "a@sender.test";
    r.destination = std::move(destination);
    r.arrival_ms = arrival;
    r.due_ms = arrival;
    r.open = 1;
    return r;
  }
  static std::vector<RecipientState> to(std::string address) {
    return {{.address = std::move(address), .known = true, .status = RecipientStatus::kOpen, .reply = "", .dsn = ""}};
  }
  template <class Change>
  void change(const Change& what) {
    auto txn = WriteTxn::begin(index_->env());
    ASSERT_TRUE(txn);
    ASSERT_TRUE(what(**txn));
    ASSERT_TRUE((*txn)->commit());
  }
  void add(std::uint64_t id, const MessageRow& r, std::string recipient = "b@example.test") {
    change([&](WriteTxn& txn) { return index_->add(txn, QueueId{id}, r, to(std::move(recipient))); });
  }
  template <class Question>
  auto ask(const Question& what) {
    ReadTxn txn(index_->env());
    const ReadTxn::View view(txn);
    base::expect(static_cast<bool>(view), "view");
    return what(txn);
  }
  Counter counter(std::string_view destination) {
    return ask([&](const Txn& txn) { return index_->counter(txn, destination); });
  }
  std::vector<std::uint64_t> aged(std::string_view destination, Place behind = {}) {
    return ask([&](const Txn& txn) {
      std::vector<std::uint64_t> out;
      index_->by_age(txn, destination, behind, [&](Place p, const Waiting&) { out.push_back(p.id.value); return true; });
      return out;
    });
  }
  std::vector<std::uint64_t> due(std::string_view destination) {
    return ask([&](const Txn& txn) {
      std::vector<std::uint64_t> out;
      index_->by_due(txn, destination, {}, [&](Place p) { out.push_back(p.id.value); return true; });
      return out;
    });
  }
  std::vector<std::uint64_t> listed(const QueueFilter& filter) {
    return ask([&](const Txn& txn) {
      std::vector<std::uint64_t> out;
      std::string cursor;
      do {
        const auto page = index_->list(txn, filter, cursor, 2);
        EXPECT_LE(page.messages.size(), 2U);
        for (const auto& m : page.messages) out.push_back(m.id.value);
        cursor = page.next;
      } while (!cursor.empty());
      return out;
    });
  }

  test::Folder folder_;
  std::unique_ptr<QueueIndex> index_;
};

using Ids = std::vector<std::uint64_t>;

TEST_F(QueueIndexTest, AMessageGoesRound) {
  add(7, row(5000));
  EXPECT_EQ(ask([&](const Txn& t) { return index_->message(t, {7}); }), row(5000));
  EXPECT_EQ(ask([&](const Txn& t) { return index_->recipients(t, {7}); }), to("b@example.test"));
  EXPECT_EQ(ask([&](const Txn& t) { return index_->message(t, {8}); }), std::nullopt);
  EXPECT_EQ(ask([&](const Txn& t) { return index_->oldest_arrival_ms(t); }), 5000);
  EXPECT_EQ(counter("office"), (Counter{.deferred = 1, .held = 0, .frozen = 0, .bytes = 100}));
  EXPECT_EQ(counter(""), counter("office"));
  const auto segment = ask([&](const Txn& t) { return index_->segment(t, {1, 1}); });
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->live_records, 1U);
  EXPECT_EQ(segment->live_bytes, kBlock);
}

TEST_F(QueueIndexTest, AddingAgainChangesNothing) {
  add(7, row(5000));
  add(7, row(5000));
  EXPECT_EQ(counter("").messages(), 1U);
  EXPECT_EQ(aged("office"), Ids{7});
  EXPECT_EQ(ask([&](const Txn& t) { return index_->segment(t, {1, 1}); })->live_records, 1U);
}

TEST_F(QueueIndexTest, ALaterGenerationTakesTheSeat) {
  add(7, row(5000));
  auto newer = row(5000);
  newer.generation = 1;
  newer.record = {2, 1, kBlock, 5000};
  newer.size = 300;
  add(7, newer);
  EXPECT_EQ(counter("").bytes, 300U);
  EXPECT_EQ(ask([&](const Txn& t) { return index_->segment(t, {1, 1}); })->live_records, 0U);
  EXPECT_EQ(ask([&](const Txn& t) { return index_->segment(t, {2, 1}); })->live_bytes, 2 * kBlock);
  add(7, row(5000));
  EXPECT_EQ(ask([&](const Txn& t) { return index_->message(t, {7}); })->generation, 1U);
}

TEST_F(QueueIndexTest, OrdersAreByAgeAndByDue) {
  add(3, row(1000));
  add(1, row(3000));
  add(2, row(2000));
  add(9, row(1, "offic"));
  add(8, row(1, "office2"));
  EXPECT_EQ(aged("office"), (Ids{3, 2, 1}));
  EXPECT_EQ(aged("office", {1000, {3}}), (Ids{2, 1}));
  EXPECT_EQ(aged("office", {1500, {0}}), (Ids{2, 1}));
  auto later = row(1000);
  later.due_ms = 9000;
  later.attempts = 1;
  change([&](WriteTxn& txn) { return index_->update(txn, {3}, later); });
  EXPECT_EQ(due("office"), (Ids{2, 1, 3}));
  EXPECT_EQ(aged("office"), (Ids{3, 2, 1}));
}

TEST_F(QueueIndexTest, HeldMessagesAreNotDueAndAreCountedApart) {
  add(1, row(1000));
  add(2, row(2000));
  auto held = row(1000);
  held.state = MessageState::kHeld;
  change([&](WriteTxn& txn) { return index_->update(txn, {1}, held); });
  EXPECT_EQ(due("office"), Ids{2});
  EXPECT_EQ(counter("office"), (Counter{.deferred = 1, .held = 1, .frozen = 0, .bytes = 200}));
  change([&](WriteTxn& txn) { return index_->update(txn, {1}, row(1000)); });
  EXPECT_EQ(due("office"), (Ids{1, 2}));
  EXPECT_EQ(counter("office").held, 0U);
}

TEST_F(QueueIndexTest, RemoveLeavesNoTrace) {
  add(1, row(1000));
  add(2, row(2000));
  for (int twice = 0; twice < 2; ++twice) change([&](WriteTxn& txn) { return index_->remove(txn, {1}); });
  EXPECT_EQ(aged("office"), Ids{2});
  EXPECT_EQ(due("office"), Ids{2});
  EXPECT_TRUE(ask([&](const Txn& t) { return index_->recipients(t, {1}); }).empty());
  EXPECT_EQ(counter("").messages(), 1U);
  EXPECT_EQ(ask([&](const Txn& t) { return index_->segment(t, {1, 1}); })->live_records, 1U);
}

TEST_F(QueueIndexTest, AMessageMayMoveToAnotherDestination) {
  add(1, row(1000));
  change([&](WriteTxn& txn) { return index_->update(txn, {1}, row(1000, "new")); });
  EXPECT_TRUE(aged("office").empty());
  EXPECT_EQ(aged("new"), Ids{1});
  EXPECT_EQ(counter("office").messages(), 0U);
  EXPECT_EQ(counter("new").messages(), 1U);
}

TEST_F(QueueIndexTest, ListsByPagesAndFilters) {
  add(1, row(1000), "x@one.test");
  add(2, row(2000), "y@two.test");
  add(3, row(3000, "backup"), "X@ONE.test");
  auto bounce = row(4000);
  bounce.sender = "";
  bounce.state = MessageState::kHeld;
  add(4, bounce, "z@one.test");
  EXPECT_EQ(listed({}), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(listed({.state = MessageState::kHeld, .destination = "", .domain = "", .sender = "", .recipient = ""}), Ids{4});
  QueueFilter f;
  f.destination = "office";
  EXPECT_EQ(listed(f), (Ids{1, 2, 4}));
  f = {};
  f.domain = "One.Test";
  EXPECT_EQ(listed(f), (Ids{1, 3, 4}));
  f = {};
  f.sender = "<>";
  EXPECT_EQ(listed(f), Ids{4});
  f.sender = "@SENDER.test";
  EXPECT_EQ(listed(f), (Ids{1, 2, 3}));
  f = {};
  f.recipient = "x@one.test";
  EXPECT_EQ(listed(f), (Ids{1, 3}));
  f.recipient = "nobody@one.test";
  EXPECT_TRUE(listed(f).empty());
}

TEST_F(QueueIndexTest, WhatNobodyFilteredIsCountedAndFound) {
  auto unfiltered = row(1000);
  unfiltered.unfiltered = true;
  add(1, unfiltered);
  add(2, row(2000));
  EXPECT_EQ(counter("").unfiltered, 1U);
  EXPECT_EQ(counter("office").unfiltered, 1U);
  QueueFilter f;
  f.unfiltered = true;
  EXPECT_EQ(listed(f), Ids{1});
  change([&](WriteTxn& txn) { return index_->update(txn, {1}, row(1000)); });
  EXPECT_EQ(counter("").unfiltered, 0U) << "it was looked at";
  change([&](WriteTxn& txn) { return index_->update(txn, {1}, unfiltered); });
  change([&](WriteTxn& txn) { return index_->remove(txn, {1}); });
  EXPECT_EQ(counter("office").unfiltered, 0U);
}

TEST_F(QueueIndexTest, HeldMailIsFoundByItsReason) {
  auto held = row(1000);
  held.state = MessageState::kHeld;
  held.reason = "filter: Zip in zip";
  add(1, held);
  auto late = row(2000);
  late.reason = "filter: zip of another state";
  add(2, late);
  QueueFilter f;
  f.held_by = "ZIP";
  EXPECT_EQ(listed(f), Ids{1});
  f.held_by = "zap";
  EXPECT_TRUE(listed(f).empty());
}

TEST_F(QueueIndexTest, SegmentsGoRound) {
  const SegmentRow dead{.state = SegmentState::kDead, .indexed_upto = 99 * kBlock, .live_records = 0, .live_bytes = 0};
  change([&](WriteTxn& txn) { return index_->put_segment(txn, {4, 2}, dead); });
  std::vector<SegmentId> ids;
  ask([&](const Txn& t) {
    index_->each_segment(t, [&](SegmentId id, const SegmentRow& r) {
      ids.push_back(id);
      EXPECT_EQ(r, dead);
    });
    return 0;
  });
  EXPECT_EQ(ids, (std::vector<SegmentId>{{4, 2}}));
  change([&](WriteTxn& txn) { return index_->erase_segment(txn, {4, 2}); });
  EXPECT_EQ(ask([&](const Txn& t) { return index_->segment(t, {4, 2}); }), std::nullopt);
}

TEST_F(QueueIndexTest, AReaderOfAnotherProcessSeesIt) {
  add(1, row(1000));
  index_.reset();  // one handle a process
  auto reader = QueueIndex::open(folder_.path(), test::kSmallReader);
  ASSERT_TRUE(reader);
  ReadTxn txn((*reader)->env());
  const ReadTxn::View view(txn);
  EXPECT_TRUE((*reader)->message(txn, {1}));
}

TEST_F(QueueIndexTest, AnIndexOfAnotherVersionIsRefusedWithWords) {
  change([&](WriteTxn& txn) { return queue_tables::put_number(txn, queue_tables::kVersionName, 99); });
  index_.reset();
  const auto opened = QueueIndex::open(folder_.path(), test::kSmallEnv);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, base::Kind::kData);
  EXPECT_NE(opened.error().text.find("version 99"), std::string::npos) << opened.error().text;
  EXPECT_NE(opened.error().text.find("gatewayctl queue rebuild"), std::string::npos) << opened.error().text;
}

TEST_F(QueueIndexTest, AnIndexWithoutAVersionIsRefusedUnlessItIsEmpty) {
  change([&](WriteTxn& txn) { return txn.erase(queue_tables::kMeta, queue_tables::kVersionName); });
  index_.reset();
  index_ = std::move(*QueueIndex::open(folder_.path(), test::kSmallEnv, 7));
  EXPECT_EQ(ask([&](const Txn& txn) { return index_->born(txn); }), 7U) << "made now";
  add(1, row(10));
  change([&](WriteTxn& txn) { return txn.erase(queue_tables::kMeta, queue_tables::kVersionName); });
  index_.reset();
  EXPECT_FALSE(QueueIndex::open(folder_.path(), test::kSmallEnv));
}

TEST_F(QueueIndexTest, ARowWithAWrongChecksumEndsTheProcessWithWords) {
  add(1, row(10));
  change([&](WriteTxn& txn) {
    std::string value(*txn.get(queue_tables::kMessage, queue_tables::id_key({1})));
    value[30] = static_cast<char>(value[30] ^ 1);
    return txn.put(queue_tables::kMessage, queue_tables::id_key({1}), value);
  });
  EXPECT_DEATH(ask([&](const Txn& txn) { return index_->message(txn, {1}); }), "is damaged: .*queue rebuild");
}

}  // namespace
}  // namespace holdfast::storage
