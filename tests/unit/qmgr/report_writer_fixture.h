// A queue with one message that was refused, in a folder of its own.
#pragma once

#include "qmgr/report_writer.h"

#include <gtest/gtest.h>

#include "common/storage/new_message.h"
#include "common/storage/segment_reader.h"
#include "common/storage/segment_writer.h"
#include "qmgr/lifetime.h"
#include "qmgr/tallies.h"
#include "tests/unit/storage/support.h"

namespace holdfast::qmgr {

using mail::QueueId;
using storage::MessageState;
using storage::RecipientStatus;
namespace test = storage::test;

constexpr std::int64_t kNow = 1'800'000'000'000;
constexpr QueueId kOriginal = {QueueId::make(1, 1)};

class ReportWriterTest : public testing::Test {
 protected:
  ReportWriterTest() {
    config_.hostname = "mx.example.test";
    config::Destination office{.name = "office"};
    office.schedule = {{.until = base::Seconds(4 * 86400), .every = base::Seconds(900), .start = {}, .factor = 1}};
    config_.destinations["office"] = office;
    config_.domains["example.test"] = {.name = "example.test", .destination = "office"};
    config_.bounce_road.schedule = office.schedule;
  }
  void SetUp() override {
    std::filesystem::create_directories(segments());
    index_ = std::move(*storage::QueueIndex::open(folder_.path(), test::kSmallEnv));
    smtpd_ = std::move(*storage::SegmentWriter::create(storage::real_file_ops(), segments(), {1, 1}));
    start();
  }
  std::string segments() const { return storage::segments_folder(folder_.path()); }
  // A start of qmgr: a writer number of its own.
  void start() {
    own_ = std::make_unique<OwnSpool>(folder_.path(), ++writer_, *index_, ops_);
    reports_ = std::make_unique<ReportWriter>(folder_.path(), *index_, *own_);
  }
  // What the indexer does at a start with segments of qmgr that nobody holds.
  void recover() {
    own_.reset();
    const auto found = storage::list_segments(segments());
    for (const auto& id : *found) {
      if (id.writer == 1) continue;
      change([&](storage::WriteTxn& txn) {
        IndexedStep out;
        EXPECT_TRUE(index_step(
            *index_, txn, {.spool = folder_.path(), .id = id, .upto = ~0ULL, .seal = true, .after_crash = true}, out));
        EXPECT_TRUE(out.messages.empty()) << "a record of qmgr's own was indexed from the file";
      });
    }
    start();
  }
  void change(const std::function<void(storage::WriteTxn&)>& what) {
    auto txn = storage::WriteTxn::begin(index_->env());
    what(**txn);
    ASSERT_TRUE((*txn)->commit());
  }
  // A message all of whose recipients were refused, and its debt.
  void refuse(mail::Envelope envelope, std::string_view content = "Subject: hello\r\n\r\nsecret\r\n",
              const std::function<void(storage::MessageRow&, std::vector<storage::RecipientState>&)>& edit = {}) {
    const auto ref = *smtpd_->append(kOriginal, 0, envelope, test::content(folder_.path(), content));
    record_ = ref;
    auto row = storage::first_row(envelope, ref, 0, content.size());
    auto recipients = storage::first_recipients(envelope);
    for (auto& r : recipients) {
      r.status = RecipientStatus::kRefused;
      r.reply = "550 5.1.1 No such user";
      r.dsn = "5.1.1";
      r.relay = "10.0.0.5[10.0.0.5]:25";
    }
    if (edit) edit(row, recipients);
    change([&](storage::WriteTxn& txn) {
      ASSERT_TRUE(index_->add(txn, kOriginal, row, recipients));
      ASSERT_TRUE(index_->put_owed(txn, kOriginal));
    });
  }
  base::Status pay_in(storage::WriteTxn& txn) { return reports_->pay(txn, kOriginal, config_, kNow, told_); }
  // One batch that goes well.
  void pay() {
    own_->begun();
    auto txn = storage::WriteTxn::begin(index_->env());
    ASSERT_TRUE(pay_in(**txn));
    ASSERT_TRUE(own_->prepare());
    ASSERT_TRUE((*txn)->commit());
  }
  // All reports in the queue, checked to be readable.
  std::vector<std::string> reports() {
    std::vector<std::string> out;
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    for (const auto& m : index_->list(txn, {}, "", 100).messages) {
      if (m.id == kOriginal) continue;
      const auto record = storage::Record::open(segments(), m.message.record, m.id, 0);
      EXPECT_TRUE(record) << record.error().text;
      if (record) out.push_back(record->content().value_or("damaged"));
    }
    return out;
  }
  std::optional<storage::Listed> listed(bool original) {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    for (auto& m : index_->list(txn, {}, "", 100).messages) {
      if ((m.id == kOriginal) == original) return m;
    }
    return std::nullopt;
  }
  std::uint64_t counted(Tally what) {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return tally(txn, what);
  }
  bool owes() {
    storage::ReadTxn txn(index_->env());
    const storage::ReadTxn::View view(txn);
    return index_->owes(txn, kOriginal);
  }
  static mail::Envelope three() {
    auto e = test::envelope("alice@sender.test", "a@example.test");
    e.recipients.push_back({.address = "b@example.test", .orcpt = "", .notify = "NEVER", .known = true});
    e.recipients.push_back({.address = "c@example.test", .orcpt = "rfc822;C@x", .notify = "FAILURE", .known = true});
    return e;
  }

  test::Folder folder_;
  test::FaultyOps ops_;
  config::Config config_;
  std::unique_ptr<storage::QueueIndex> index_;
  std::unique_ptr<storage::SegmentWriter> smtpd_;
  std::unique_ptr<OwnSpool> own_;
  std::unique_ptr<ReportWriter> reports_;
  std::uint32_t writer_ = 1;
  mail::RecordRef record_;
  Told told_;
};

inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace holdfast::qmgr
