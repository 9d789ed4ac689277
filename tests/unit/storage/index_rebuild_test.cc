#include "common/storage/index_rebuild.h"

#include <gtest/gtest.h>

#include "common/storage/index_check.h"
#include "common/storage/index_lock.h"
#include "common/storage/new_message.h"
#include "common/storage/queue_tables.h"
#include "common/storage/segment_writer.h"
#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

constexpr EnvOptions kEnv{.read_only = false, .map_bytes = 8 << 20};

class IndexRebuildTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(segments_folder(spool()));
    index_ = std::move(*QueueIndex::open(spool(), kEnv));
  }
  std::string spool() const { return folder_.path(); }

  // A segment of messages FIRST … LAST that the index knows all of, sealed.
  std::vector<MessageRow> segment(std::uint32_t number, std::uint64_t first, std::uint64_t last,
                                  SegmentOwner owner = SegmentOwner::kSmtpd) {
    auto writer = std::move(*SegmentWriter::create(real_file_ops(), segments_folder(spool()), {1, number}, owner));
    std::vector<MessageRow> rows;
    auto txn = std::move(*WriteTxn::begin(index_->env()));
    for (auto id = first; id <= last; ++id) {
      const auto envelope = test::envelope();
      const auto ref =
          *writer->append({id}, 0, envelope, test::content(spool(), "hello " + std::to_string(id) + "\r\n"));
      rows.push_back(first_row(envelope, ref, 0, 7 + std::to_string(id).size() + 1));
      base::expect(index_->add(*txn, {id}, rows.back(), first_recipients(envelope)).has_value(), "add");
    }
    auto row = *index_->segment(*txn, {1, number});
    row.state = SegmentState::kSealed;
    row.indexed_upto = writer->end();
    base::expect(index_->put_segment(*txn, {1, number}, row).has_value(), "segment");
    base::expect(txn->commit().has_value(), "commit");
    return rows;
  }
  template <class Change>
  void change(const Change& what) {
    auto txn = std::move(*WriteTxn::begin(index_->env()));
    ASSERT_TRUE(what(*txn));
    ASSERT_TRUE(txn->commit());
  }
  RebuildReport rebuild(RebuildOptions options = {}) {
    index_.reset();
    options.spool = spool();
    options.env = kEnv;
    auto report = rebuild_index(options);
    EXPECT_TRUE(report) << report.error().text;
    index_ = std::move(*QueueIndex::open(spool(), kEnv));
    CheckReport check;
    ReadTxn txn(index_->env());
    const ReadTxn::View view(txn);
    check_rows(txn, check);
    EXPECT_EQ(check.faults, 0U) << check.texts.front();
    return std::move(*report);
  }
  std::optional<MessageRow> row(std::uint64_t id) {
    ReadTxn txn(index_->env());
    const ReadTxn::View view(txn);
    return index_->message(txn, {id});
  }
  void flip_row(std::uint64_t id) {
    change([&](WriteTxn& txn) {
      std::string value(*txn.get(queue_tables::kMessage, queue_tables::id_key({id})));
      value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 4);
      return txn.put(queue_tables::kMessage, queue_tables::id_key({id}), value);
    });
  }

  test::Folder folder_;
  std::unique_ptr<QueueIndex> index_;
};

TEST_F(IndexRebuildTest, WithoutAnIndexAllThatLiesInTheSegmentsIsQueued) {
  segment(1, 1, 5);
  index_.reset();
  std::filesystem::remove_all(QueueIndex::folder(spool()));
  const auto report = rebuild();
  EXPECT_EQ(report.messages, 5U);
  EXPECT_EQ(report.kept, 0U);
  EXPECT_EQ(report.old_index, "");
  EXPECT_EQ(row(3)->state, MessageState::kDeferred);
}

TEST_F(IndexRebuildTest, ASoundIndexIsTakenOverWhole) {
  const auto rows = segment(1, 1, 5);
  change([&](WriteTxn& txn) { return index_->remove(txn, {2}); });
  change([&](WriteTxn& txn) {
    auto held = rows[3];
    held.state = MessageState::kHeld;
    held.attempts = 7;
    if (auto done = index_->update(txn, {4}, held); !done) return done;
    if (auto done =
            index_->put_recipient(txn, {4}, 0, {.address = "b@example.test", .status = RecipientStatus::kRefused});
        !done)
      return done;
    return index_->put_owed(txn, {4});
  });
  const auto report = rebuild();
  EXPECT_EQ(report.messages, 4U);
  EXPECT_EQ(report.kept, 4U);
  EXPECT_TRUE(std::filesystem::exists(report.old_index + "/data.mdb"));
  EXPECT_FALSE(row(2)) << "it was delivered";
  EXPECT_EQ(row(4)->attempts, 7U);
  EXPECT_EQ(row(4)->state, MessageState::kHeld);
  ReadTxn txn(index_->env());
  const ReadTxn::View view(txn);
  EXPECT_TRUE(index_->owes(txn, {4}));
  EXPECT_EQ(index_->recipients(txn, {4}).at(0).status, RecipientStatus::kRefused);
}

TEST_F(IndexRebuildTest, ADebtWhoseEntryWasLostIsFoundByItsRecipients) {
  segment(1, 1, 2);
  change([&](WriteTxn& txn) {
    return index_->put_recipient(txn, {2}, 0, {.address = "b@example.test", .status = RecipientStatus::kRefused});
  });
  rebuild();
  ReadTxn txn(index_->env());
  const ReadTxn::View view(txn);
  EXPECT_FALSE(index_->owes(txn, {1}));
  EXPECT_TRUE(index_->owes(txn, {2}));
}

TEST_F(IndexRebuildTest, OnlyTheSegmentOfADamagedRowIsReadAnew) {
  segment(1, 1, 3);
  segment(2, 11, 13);
  change([&](WriteTxn& txn) { return index_->remove(txn, {2}); });
  change([&](WriteTxn& txn) { return index_->remove(txn, {12}); });
  flip_row(1);
  const auto report = rebuild();
  EXPECT_TRUE(row(1)) << "its row was lost, its record is not";
  EXPECT_TRUE(row(2)) << "it may be the one whose row was lost: a repeat, never a loss";
  EXPECT_FALSE(row(12)) << "its segment is whole";
  EXPECT_EQ(report.messages, 5U);
}

TEST_F(IndexRebuildTest, AnIndexThatCannotBeReadAtAllIsForgotten) {
  segment(1, 1, 3);
  index_.reset();
  std::string bytes = test::slurp(QueueIndex::folder(spool()) + "/data.mdb");
  std::fill(bytes.begin(), bytes.begin() + 8192, 'x');
  test::dump(QueueIndex::folder(spool()) + "/data.mdb", bytes);
  EXPECT_EQ(rebuild().messages, 3U);
}

TEST_F(IndexRebuildTest, ForgettingTheOldOneQueuesAllAgain) {
  segment(1, 1, 3);
  change([&](WriteTxn& txn) { return index_->remove(txn, {2}); });
  EXPECT_EQ(rebuild({.forget = true}).messages, 3U);
  EXPECT_EQ(row(2)->attempts, 0U);
}

TEST_F(IndexRebuildTest, HoldsWhatIsDeferredIfAsked) {
  segment(1, 1, 2);
  rebuild({.hold = true});
  EXPECT_EQ(row(1)->state, MessageState::kHeld);
}

TEST_F(IndexRebuildTest, WhatQmgrHadNotCommittedOfItsOwnIsNotTakenForMail) {
  segment(1, 1, 2, SegmentOwner::kQmgr);
  change([&](WriteTxn& txn) { return index_->remove(txn, {2}); });
  change([&](WriteTxn& txn) {  // as if the second record had never been committed
    auto segment_row = *index_->segment(txn, {1, 1});
    segment_row.indexed_upto = 2 * kBlock;
    segment_row.state = SegmentState::kLive;
    return index_->put_segment(txn, {1, 1}, segment_row);
  });
  EXPECT_EQ(rebuild().messages, 1U);
  EXPECT_FALSE(row(2));
}

TEST_F(IndexRebuildTest, ADeadSegmentStaysDead) {
  segment(1, 1, 2);
  change([&](WriteTxn& txn) {
    if (auto done = index_->remove(txn, {1}); !done) return done;
    if (auto done = index_->remove(txn, {2}); !done) return done;
    auto segment_row = *index_->segment(txn, {1, 1});
    segment_row.state = SegmentState::kDead;
    return index_->put_segment(txn, {1, 1}, segment_row);
  });
  EXPECT_EQ(rebuild().messages, 0U);
}

TEST_F(IndexRebuildTest, DamagedRecordsAreSetAsideAndStayInSight) {
  const auto rows = segment(1, 1, 5);
  const std::string path = segments_folder(spool()) + "/000001-00000001.seg";
  auto bytes = test::slurp(path);
  bytes[rows[1].record.offset + rows[1].record.length - 3] ^= 1;  // content
  bytes[rows[2].record.offset + 20] ^= 1;                         // header, and so the next one's
  bytes[rows[3].record.offset + 20] ^= 1;
  test::dump(path, bytes);
  const auto report = rebuild();
  EXPECT_EQ(report.messages, 5U);
  EXPECT_EQ(report.damaged, 2U) << "two neighbours are one place";
  for (const std::uint64_t id : {2, 3, 4}) EXPECT_EQ(row(id)->state, MessageState::kHeld) << id;
  EXPECT_EQ(row(5)->state, MessageState::kDeferred);
  EXPECT_FALSE(std::filesystem::is_empty(corrupt_folder(spool())));
}

TEST_F(IndexRebuildTest, WhatCannotBeSetAsideKeepsItsSegment) {
  const auto rows = segment(1, 1, 3);
  const std::string path = segments_folder(spool()) + "/000001-00000001.seg";
  auto bytes = test::slurp(path);
  bytes[rows[1].record.offset + 20] ^= 1;
  test::dump(path, bytes);
  index_.reset();
  std::filesystem::remove_all(QueueIndex::folder(spool()));  // nobody knows what it was
  test::dump(corrupt_folder(spool()), "a file where the folder should be");
  const Damage place{.offset = rows[1].record.offset, .length = kBlock};
  for (int run = 0; run < 2; ++run) {
    SCOPED_TRACE(run);
    EXPECT_EQ(rebuild().messages, 2U);
    ReadTxn txn(index_->env());
    const ReadTxn::View view(txn);
    EXPECT_EQ(index_->segment(txn, {1, 1})->damage, std::vector{place});
  }
}

TEST_F(IndexRebuildTest, OneSegmentThatCannotBeReadDoesNotCostTheOthers) {
  segment(1, 1, 2);
  segment(2, 11, 12, SegmentOwner::kQmgr);
  index_.reset();
  std::filesystem::remove_all(QueueIndex::folder(spool()));
  const std::string path = segments_folder(spool()) + "/000001-00000002.seg";
  std::filesystem::rename(path, path + ".away");
  std::filesystem::create_directory(path);  // whatever is asked of it fails
  const auto report = rebuild();
  EXPECT_EQ(report.messages, 2U);
  EXPECT_EQ(report.damaged, 1U);
  ReadTxn txn(index_->env());
  const ReadTxn::View view(txn);
  EXPECT_GT(index_->born(txn), 1U) << "qmgr reads it, and does not cut it";
}

TEST_F(IndexRebuildTest, IsRefusedWhileTheIndexIsInUse) {
  segment(1, 1, 1);
  const auto lock = lock_index(spool());
  ASSERT_TRUE(lock);
  const auto report = rebuild_index({.spool = spool(), .env = kEnv});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, base::Kind::kTemporary);
}

}  // namespace
}  // namespace holdfast::storage
