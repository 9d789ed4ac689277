#include "common/storage/index_check.h"

#include <cstdlib>
#include <random>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/siphash.h"
#include "common/base/text.h"
#include "common/storage/queue_tables.h"
#include "common/storage/segment_writer.h"
#include "tests/unit/storage/filled_index.h"

namespace holdfast::storage {
namespace {

using namespace queue_tables;

constexpr EnvOptions kTinyEnv{.read_only = false, .map_bytes = 8 << 20};

CheckReport check(QueueIndex& index) {
  CheckReport report;
  ReadTxn txn(index.env());
  const ReadTxn::View view(txn);
  check_rows(txn, report);
  return report;
}

std::string all(const CheckReport& report) {
  std::string out;
  for (const auto& text : report.texts) out += text + "\n";
  return out;
}

class IndexCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    index_ = std::move(*QueueIndex::open(folder_.path(), kTinyEnv));
    test::fill(*index_, 1, 80);
  }
  // Changes one row behind the index's back, as no program would.
  void change(const std::function<base::Status(WriteTxn&)>& what) {
    auto txn = WriteTxn::begin(index_->env());
    ASSERT_TRUE(what(**txn));
    ASSERT_TRUE((*txn)->commit());
  }
  void expect_fault(const std::string& words) {
    const auto report = check(*index_);
    EXPECT_GT(report.faults, 0U);
    EXPECT_NE(all(report).find(words), std::string::npos) << all(report);
  }

  test::Folder folder_;
  std::unique_ptr<QueueIndex> index_;
};

TEST_F(IndexCheckTest, AGoodIndexIsGood) {
  const auto report = check(*index_);
  EXPECT_EQ(report.faults, 0U) << all(report);
  EXPECT_EQ(report.messages, 80U);
  EXPECT_EQ(report.recipients, 240U);
  EXPECT_EQ(report.segments, 3U);
}

TEST_F(IndexCheckTest, FindsWhatIsMissingInAnyTable) {
  const auto row = test::some_row(8);
  const mail::QueueId id{8000};
  const std::vector<std::pair<Table, Key>> places{
      {kArrival, arrival_key(row.arrival_ms, id)},
      {kByDestination, place_key(row.destination, {row.arrival_ms, id})},
      {kDue, place_key(row.destination, {row.due_ms, id})},
      {kDeadline, arrival_key(deadline_ms(row), id)},
      {kRecipient, recipient_key(id, 1)},
      {kMessage, id_key(id)},
      {kCounter, Key().name("office")},
      {kSegment, segment_key({1, 3})},
  };
  for (const auto& [table, key] : places) {
    std::string before;
    change([&](WriteTxn& txn) {
      before = *txn.get(table, key);
      return txn.erase(table, key);
    });
    EXPECT_GT(check(*index_).faults, 0U) << kTables[table];
    change([&](WriteTxn& txn) { return txn.put(table, key, before); });
    EXPECT_EQ(check(*index_).faults, 0U) << kTables[table];
  }
}

TEST_F(IndexCheckTest, FindsWhatIsTooMuch) {
  const mail::QueueId stranger{77};
  for (const Table table : {kArrival, kDeadline}) {
    const Key key = arrival_key(5, stranger);
    change([&](WriteTxn& txn) { return txn.put(table, key, ""); });
    expect_fault("entries, but the messages have");
    change([&](WriteTxn& txn) { return txn.erase(table, key); });
  }
  change([&](WriteTxn& txn) { return txn.put(kOwed, id_key(stranger), ""); });
  expect_fault("entries, but the messages have");
}

TEST_F(IndexCheckTest, FindsAnEntryWithAValue) {
  const auto row = test::some_row(8);
  const mail::QueueId id{8000};
  const std::vector<std::pair<Table, Key>> places{{kArrival, arrival_key(row.arrival_ms, id)},
                                                  {kDue, place_key(row.destination, {row.due_ms, id})},
                                                  {kDeadline, arrival_key(deadline_ms(row), id)},
                                                  {kOwed, id_key(id)}};
  for (const auto& [table, key] : places) {
    change([&](WriteTxn& txn) { return txn.put(table, key, "xy"); });
    expect_fault(fmt::format("table {}: an entry has a value", kTables[table]));
    change([&](WriteTxn& txn) { return txn.put(table, key, ""); });
  }
}

TEST_F(IndexCheckTest, FindsACounterThatIsWrong) {
  change([&](WriteTxn& txn) { return put_row(txn, kCounter, Key().name("office"), Counter{.deferred = 1}); });
  expect_fault("the counter of office says 1 messages");
}

TEST_F(IndexCheckTest, FindsARowWithoutItsRecord) {
  CheckReport report;
  ASSERT_TRUE(check_records(*index_, folder_.path(), {}, report));
  EXPECT_EQ(report.faults, 80U) << "there are no segments at all";
}

TEST_F(IndexCheckTest, ChecksRecordsDownToTheirContents) {
  const test::Folder spool;
  std::filesystem::create_directories(segments_folder(spool.path()));
  auto index = std::move(*QueueIndex::open(spool.path(), kTinyEnv));
  auto segment = std::move(*SegmentWriter::create(real_file_ops(), segments_folder(spool.path()), {1, 1}));
  const auto ref = *segment->append({7}, 0, test::envelope(), test::content(spool.path(), std::string(9000, 'x')));
  auto row = test::some_row(1);
  row.record = ref;
  row.size = 9000;
  auto txn = WriteTxn::begin(index->env());
  ASSERT_TRUE(index->add(**txn, {7}, row, test::some_recipients(1)));
  ASSERT_TRUE((*txn)->commit());
  CheckReport good;
  ASSERT_TRUE(check_records(*index, spool.path(), {}, good));
  EXPECT_EQ(good.records, 1U) << all(good);
  EXPECT_EQ(good.faults, 0U) << all(good);
  const std::string path = segments_folder(spool.path()) + "/000001-00000001.seg";
  auto bytes = test::slurp(path);
  bytes[ref.offset + 5000] ^= 1;
  test::dump(path, bytes);
  CheckReport bad;
  ASSERT_TRUE(check_records(*index, spool.path(), {}, bad));
  EXPECT_EQ(bad.faults, 1U);
  EXPECT_NE(all(bad).find("checksum is wrong"), std::string::npos) << all(bad);
}

// --- One bit flipped anywhere in the file: found, or of no consequence now and later ---

enum Verdict { kHarmless = 0, kFound = 1, kMissed = 2, kMissedLater = 3 };

std::uint64_t print_of(QueueIndex& index) {
  ReadTxn txn(index.env());
  const ReadTxn::View view(txn);
  base::SipHash hash({1, 2});
  for (Table table = 0; table < kTables.size(); ++table) {
    Cursor cursor(txn, table);
    for (cursor.first(); cursor.valid(); cursor.next()) {
      hash.update(cursor.key());
      hash.update(cursor.value());
    }
  }
  return hash.finish();
}

Verdict judge(const std::string& spool, std::uint64_t print) {
  auto index = QueueIndex::open(spool, kTinyEnv);
  if (!index) return kFound;
  {
    CheckReport report;
    ReadTxn txn((*index)->env());
    const ReadTxn::View view(txn);
    check_rows(txn, report);
    if (report.faults > 0) return kFound;
  }
  if (print_of(**index) != print) return kMissed;
  test::fill(**index, 81, 160);
  for (std::uint64_t first = 1; first <= 160; first += 40) {
    auto txn = WriteTxn::begin((*index)->env());
    if (!txn) return kFound;
    for (std::uint64_t n = first; n < first + 40; n += 2) {
      if (!(*index)->remove(**txn, {n * 1000})) return kFound;
    }
    if (!(*txn)->commit()) return kFound;
  }
  return check(**index).faults == 0 ? kHarmless : kMissedLater;
}

// In a process of its own, which damage may end.
int try_flip(const std::string& good, std::size_t bit, std::uint64_t print) {
  const test::Folder spool(std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp");  // nothing here is about durability
  std::filesystem::create_directories(spool.path() + "/index");
  std::string bytes = good;
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  test::dump(spool.path() + "/index/data.mdb", bytes);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    ::alarm(20);
    ::_exit(judge(spool.path(), print));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGALRM ? -1 : kFound;
  return WEXITSTATUS(status);
}

TEST_F(IndexCheckTest, AFlippedBitIsFoundOrHarmless) {
  const auto print = print_of(*index_);
  index_.reset();
  const std::string good = test::slurp(folder_.path() + "/index/data.mdb");
  const char* given = std::getenv("HOLDFAST_SEED");
  const auto seed = given != nullptr ? static_cast<std::uint64_t>(std::atoll(given)) : base::random_number() % 1'000'000;
  const bool is_long = std::getenv("HOLDFAST_LONG") != nullptr;
  SCOPED_TRACE(fmt::format("HOLDFAST_SEED={}", seed));
  std::mt19937_64 random(seed);
  int found = 0, harmless = 0;
  for (int i = 0; i < (is_long ? 20'000 : 150); ++i) {
    const std::size_t bit = random() % (good.size() * 8);
    const int verdict = try_flip(good, bit, print);
    EXPECT_TRUE(verdict == kHarmless || verdict == kFound)
        << "bit " << bit << " (page " << bit / 8 / 4096 << ", byte " << bit / 8 % 4096 << "): " << verdict;
    found += verdict == kFound;
    harmless += verdict == kHarmless;
  }
  EXPECT_GT(found, 0);
  RecordProperty("found", found);
  RecordProperty("harmless", harmless);
}

}  // namespace
}  // namespace holdfast::storage
