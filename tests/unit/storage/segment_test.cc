#include <algorithm>

#include <fcntl.h>
#include <sys/file.h>

#include <gtest/gtest.h>

#include "common/storage/segment_reader.h"
#include "common/storage/segment_writer.h"
#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

using mail::QueueId;

struct Seen {
  std::vector<std::uint64_t> records;                             // sequence numbers
  std::vector<std::uint64_t> damaged;                             // likewise
  std::vector<std::pair<std::uint64_t, std::uint64_t>> bad;       // offset, length
  std::uint64_t end = 0;
};

Seen scan_all(const std::string& folder, ScanOptions options = {}) {
  Seen seen;
  const auto segment = Segment::open(folder, {1, 1});
  base::expect(segment.has_value(), "open segment");
  const ScanHandler handler{
      .record = [&](const Record& r) { seen.records.push_back(r.header().id.value & 0xFFFF); return true; },
      .damaged = [&](const RecordHeader& h, std::uint64_t, std::uint64_t) { seen.damaged.push_back(h.id.value & 0xFFFF); },
      .bad_blocks = [&](std::uint64_t at, std::uint64_t n) { seen.bad.emplace_back(at, n); }};
  const auto end = scan(*segment, options, handler);
  base::expect(end.has_value(), "scan");
  seen.end = *end;
  return seen;
}

class SegmentTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = SegmentWriter::create(ops_, folder_.path(), {1, 1});
    ASSERT_TRUE(made);
    writer_ = std::move(*made);
  }
  base::Result<mail::RecordRef> append(std::uint64_t sequence, std::string_view body) {
    return writer_->append(QueueId::make(1, sequence), 0, test::envelope(), test::content(folder_.path(), body, "R: x\r\n"));
  }
  std::string file() const { return folder_.path() + "/000001-00000001.seg"; }
  std::uint64_t file_size() const { return std::filesystem::file_size(file()); }
  // Without the room that was made ahead.
  std::string records() const { return test::slurp(file()).substr(0, writer_->end()); }

  test::Folder folder_;
  test::FaultyOps ops_;
  std::unique_ptr<SegmentWriter> writer_;
};

TEST_F(SegmentTest, RecordsGoRound) {
  const std::string large(200'000, 'x');
  const auto a = append(1, "hello\r\n"), b = append(2, large), c = append(3, "");
  ASSERT_TRUE(a && b && c);
  ASSERT_TRUE(writer_->sync());
  const auto record = Record::open(folder_.path(), *b, QueueId::make(1, 2), 0);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->envelope(), test::envelope());
  EXPECT_TRUE(record->verify());
  EXPECT_EQ(record->content(), "R: x\r\n" + large);
  EXPECT_EQ(record->ref(), *b);
  EXPECT_EQ(Record::open(folder_.path(), *c, QueueId::make(1, 3), 0)->content(), "R: x\r\n");
  const auto seen = scan_all(folder_.path(), {.upto = writer_->end()});
  EXPECT_EQ(seen.records, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(seen.end, writer_->end());
  EXPECT_TRUE(seen.bad.empty());
}

TEST_F(SegmentTest, ARecordIsFoundUnderItsOwnNameOnly) {
  const auto a = append(1, "hello\r\n");
  ASSERT_TRUE(append(2, "other\r\n"));
  EXPECT_FALSE(Record::open(folder_.path(), *a, QueueId::make(1, 2), 0));
  EXPECT_FALSE(Record::open(folder_.path(), *a, QueueId::make(1, 1), 1));
  auto moved = *a;
  moved.offset += kBlock;
  EXPECT_FALSE(Record::open(folder_.path(), moved, QueueId::make(1, 1), 0));
  moved = *a;
  moved.segment = 9;
  EXPECT_EQ(Record::open(folder_.path(), moved, QueueId::make(1, 1), 0).error().kind, base::Kind::kNotFound);
}

TEST_F(SegmentTest, ScanBeginsAndEndsWhereItIsTold) {
  ASSERT_TRUE(append(1, "a\r\n") && append(2, "b\r\n") && append(3, "c\r\n"));
  EXPECT_EQ(scan_all(folder_.path(), {.from = kBlock * 2, .upto = kBlock * 3}).records, (std::vector<std::uint64_t>{2}));
  EXPECT_EQ(scan_all(folder_.path(), {.from = kBlock * 3}).records, (std::vector<std::uint64_t>{3}));
  EXPECT_EQ(scan_all(folder_.path(), {.from = kBlock * 9}).records, (std::vector<std::uint64_t>{}));
}

TEST_F(SegmentTest, CutAtAnyByteTheEarlierRecordsStand) {
  ASSERT_TRUE(append(1, "first\r\n") && append(2, std::string(5000, 'y')));
  const std::string whole = records();
  const auto second = kBlock * 2;
  const auto record_end = second + Record::read_at(*Segment::open(folder_.path(), {1, 1}), second)->header().length();
  for (std::size_t cut = second; cut < whole.size(); cut += cut < second + 400 ? 1 : 97) {
    test::dump(file(), std::string_view(whole).substr(0, cut));
    const auto seen = scan_all(folder_.path());
    const bool second_whole = cut >= record_end;  // only padding is missing
    EXPECT_EQ(seen.records.size(), second_whole ? 2U : 1U) << "cut at " << cut;
    EXPECT_EQ(seen.records.front(), 1U);
  }
}

TEST_F(SegmentTest, ABadBlockDoesNotStopTheScan) {
  ASSERT_TRUE(append(1, "a\r\n") && append(2, "b\r\n") && append(3, "c\r\n") && append(4, "d\r\n"));
  std::string bytes = records();
  bytes[kBlock * 2 + 20] ^= 1;                    // record 2's header
  std::fill_n(bytes.begin() + kBlock * 3, kBlock, '\0');  // record 3 has vanished
  test::dump(file(), bytes);
  const auto seen = scan_all(folder_.path());
  EXPECT_EQ(seen.records, (std::vector<std::uint64_t>{1, 4}));
  EXPECT_EQ(seen.bad, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{kBlock * 2, kBlock * 2}}));
}

TEST_F(SegmentTest, DamagedContentIsToldApartFromABadHeader) {
  ASSERT_TRUE(append(1, "a\r\n"));
  const auto b = append(2, std::string(9000, 'b'));
  ASSERT_TRUE(append(3, "c\r\n"));
  std::string bytes = records();
  bytes[b->offset + 6000] ^= 4;
  test::dump(file(), bytes);
  const auto seen = scan_all(folder_.path());
  EXPECT_EQ(seen.records, (std::vector<std::uint64_t>{1, 3}));
  EXPECT_EQ(seen.damaged, (std::vector<std::uint64_t>{2}));
  const auto record = Record::open(folder_.path(), *b, QueueId::make(1, 2), 0);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->verify().error().kind, base::Kind::kData);
  EXPECT_EQ(record->content().error().kind, base::Kind::kData);
}

TEST_F(SegmentTest, EveryFlippedBitOfARecordIsSeen) {
  const auto a = append(1, "some content\r\n");
  const std::string whole = records();
  for (std::uint64_t bit = 0; bit < a->length * 8; bit += 3) {
    std::string bytes = whole;
    bytes[a->offset + bit / 8] ^= static_cast<char>(1 << (bit % 8));
    test::dump(file(), bytes);
    EXPECT_TRUE(scan_all(folder_.path()).records.empty()) << "bit " << bit;
  }
}

TEST_F(SegmentTest, NoMailBodyPassesForARecord) {
  // The body holds, at a block's boundary, a whole valid segment's record made with another key.
  const test::Folder other;
  auto forger = SegmentWriter::create(ops_, other.path(), {1, 1});
  const auto forged = (*forger)->append(QueueId::make(1, 99), 0, test::envelope(), test::content(other.path(), "forged\r\n"));
  const std::string evil = test::slurp(other.path() + "/000001-00000001.seg").substr(forged->offset, kBlock);
  const auto probe = append(1, "x");
  const std::size_t head = probe->length - 7;  // "R: x\r\n" and "x"
  const auto victim = append(2, std::string(kBlock - head - 6, 'p') + evil + evil + "\r\n");
  ASSERT_TRUE(victim && append(3, "behind\r\n"));
  std::string bytes = records();
  ASSERT_EQ(bytes.compare(victim->offset + kBlock, 8, "HOLDFREC"), 0) << "the forgery lies where a scan would look";
  bytes[victim->offset + 8] ^= 1;  // the true header is damaged: the scan looks into the body
  test::dump(file(), bytes);
  EXPECT_EQ(scan_all(folder_.path()).records, (std::vector<std::uint64_t>{1, 3}));
}

TEST_F(SegmentTest, AFailedWriteLeavesNothing) {
  ASSERT_TRUE(append(1, "a\r\n"));
  ops_.write_in = 1;
  const auto failed = append(2, std::string(100'000, 'z'));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, base::Kind::kNoSpace);
  EXPECT_EQ(file_size(), kBlock * 2);
  ASSERT_TRUE(append(3, "c\r\n"));
  ASSERT_TRUE(writer_->sync());
  EXPECT_EQ(scan_all(folder_.path()).records, (std::vector<std::uint64_t>{1, 3}));
}

TEST_F(SegmentTest, AWriteThatCannotBeCutOffEndsTheSegmentButNotItsRecords) {
  ASSERT_TRUE(append(1, "a\r\n"));
  ops_.write_in = 1;
  ops_.cut_in = 1;
  ASSERT_FALSE(append(2, std::string(100'000, 'z')));
  EXPECT_FALSE(writer_->usable());
  EXPECT_FALSE(append(3, "c\r\n"));
  ASSERT_TRUE(writer_->sync());
  EXPECT_EQ(writer_->synced(), kBlock * 2);
  EXPECT_EQ(scan_all(folder_.path(), {.upto = writer_->synced()}).records, (std::vector<std::uint64_t>{1}));
}

TEST_F(SegmentTest, AfterAFailedSyncTheFileIsCutAndNeverSyncedAgain) {
  ASSERT_TRUE(append(1, "a\r\n") && writer_->sync());
  ASSERT_TRUE(append(2, "b\r\n"));
  ops_.sync_data_in = 1;
  ASSERT_FALSE(writer_->sync());
  EXPECT_EQ(writer_->synced(), kBlock * 2);
  EXPECT_EQ(std::filesystem::file_size(file()), kBlock * 2);
  const int syncs = ops_.syncs;
  EXPECT_FALSE(writer_->sync());
  EXPECT_EQ(ops_.syncs, syncs);
  EXPECT_FALSE(append(3, "c\r\n"));
  EXPECT_EQ(scan_all(folder_.path()).records, (std::vector<std::uint64_t>{1}));
  writer_.reset();
  EXPECT_EQ(file_size(), kBlock * 2);
}

TEST_F(SegmentTest, ZerosAreWrittenAheadAndGivenBack) {
  ASSERT_TRUE(append(1, "a\r\n"));
  EXPECT_EQ(file_size(), writer_->end() + kRoomAhead);
  const auto ahead = test::slurp(file()).substr(writer_->end());
  EXPECT_EQ(ahead.find_first_not_of('\0'), std::string::npos);
  const int writes = ops_.writes;
  std::uint64_t sequence = 1;
  while (writer_->end() + kBlock <= 2 * kBlock + kRoomAhead) ASSERT_TRUE(append(++sequence, "b\r\n"));
  EXPECT_EQ(ops_.writes, writes + static_cast<int>(sequence) - 1) << "no zeros while there is room";
  EXPECT_EQ(file_size(), writer_->end());
  ASSERT_TRUE(append(++sequence, "c\r\n"));
  EXPECT_EQ(file_size(), writer_->end() + kRoomAhead);
  const auto end = writer_->end();
  ASSERT_TRUE(writer_->sync());
  writer_.reset();
  EXPECT_EQ(file_size(), end);
  EXPECT_EQ(scan_all(folder_.path()).records.size(), sequence);
}

TEST_F(SegmentTest, NoZerosBehindALargeRecordOrTheSegmentsEnd) {
  ASSERT_TRUE(append(1, std::string(kSmallRecord, 'x')));
  EXPECT_EQ(file_size(), writer_->end());
  ASSERT_TRUE(append(2, std::string(kSegmentBytes - 9 * kBlock - kSmallRecord, 'y')));
  ASSERT_TRUE(append(3, "z\r\n"));
  ASSERT_LT(writer_->end(), kSegmentBytes);
  EXPECT_EQ(file_size(), kSegmentBytes);
}

TEST_F(SegmentTest, ZerosThatTheDiskDoesNotTakeConcernNoRecord) {
  ops_.write_in = 2;
  ASSERT_TRUE(append(1, "a\r\n"));
  EXPECT_EQ(file_size(), writer_->end()) << "what was written of them is given back";
  ASSERT_TRUE(append(2, "b\r\n") && writer_->sync());
  EXPECT_EQ(file_size(), writer_->end());
  EXPECT_EQ(scan_all(folder_.path()).records, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(SegmentTest, TakenBackRecordsLeaveNoBytesWhereTheNextOnesGo) {
  ASSERT_TRUE(append(1, "a\r\n") && append(2, std::string(3 * kBlock, 'x')));
  ASSERT_TRUE(writer_->cut_back(kBlock * 2));
  EXPECT_EQ(file_size(), kBlock * 2);
  ASSERT_TRUE(append(3, "c\r\n"));
  const auto seen = scan_all(folder_.path(), {.upto = writer_->end() + kBlock});
  EXPECT_EQ(seen.records, (std::vector<std::uint64_t>{1, 3}));
  EXPECT_EQ(test::slurp(file()).find_first_not_of('\0', writer_->end()), std::string::npos);
}

TEST_F(SegmentTest, TheWriterHoldsTheLock) {
  const base::UniqueFd fd(::open(file().c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_NE(::flock(fd.get(), LOCK_EX | LOCK_NB), 0);
  writer_.reset();
  EXPECT_EQ(::flock(fd.get(), LOCK_EX | LOCK_NB), 0);
}

TEST_F(SegmentTest, CreationThatFailsLeavesNoSegmentInUse) {
  for (auto* fault : {&ops_.write_in, &ops_.sync_in, &ops_.rename_in}) {
    *fault = 1;
    EXPECT_FALSE(SegmentWriter::create(ops_, folder_.path(), {1, 2}));
    EXPECT_EQ(list_segments(folder_.path())->size(), 1U);
  }
  ops_.folder_in = 1;
  EXPECT_FALSE(SegmentWriter::create(ops_, folder_.path(), {1, 2}));
  EXPECT_TRUE(SegmentWriter::create(ops_, folder_.path(), {1, 3}));
}

TEST_F(SegmentTest, ALargeRecordGetsItsOwnSegment) {
  EXPECT_TRUE(writer_->has_room(kSegmentBytes * 2)) << "an empty one takes it";
  ASSERT_TRUE(append(1, "a\r\n"));
  EXPECT_FALSE(writer_->has_room(kSegmentBytes));
  EXPECT_TRUE(writer_->has_room(kSegmentBytes - 2 * kBlock));
}

TEST_F(SegmentTest, ForeignFilesAreNoSegments) {
  test::dump(folder_.path() + "/000001-00000002.seg", "short");
  EXPECT_EQ(Segment::open(folder_.path(), {1, 2}).error().kind, base::Kind::kData);
  std::filesystem::copy_file(file(), folder_.path() + "/000001-00000003.seg");
  EXPECT_EQ(Segment::open(folder_.path(), {1, 3}).error().kind, base::Kind::kData) << "renamed";
  EXPECT_EQ(Segment::open(folder_.path(), {1, 4}).error().kind, base::Kind::kNotFound);
}

}  // namespace
}  // namespace holdfast::storage
