#include "common/storage/index_salvage.h"

#include <cerrno>
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/storage/queue_tables.h"

namespace holdfast::storage {

using namespace queue_tables;

namespace {

enum : Table { kBySalvagedPlace, kSalvagedSegment, kFound };
const std::vector<std::string> kSalvageTables{"by_place", "segment", "found"};
constexpr std::size_t kBatch = 1000;

Key place_of_record(const mail::RecordRef& record) {
  return Key().number(record.writer).number(record.segment).number(record.offset);
}

// In the child: everything sound, in small commits, so that what was found before a bad place is kept.
class Reader {
 public:
  Reader(const Txn& from, Env& to) : from_(from), to_(to) {}

  bool run() {
    Cursor segments(from_, kSegment);
    for (segments.first(); segments.valid(); segments.next()) {
      if (sound(kSegment, segments.key(), segments.value()) && !put(kSalvagedSegment, segments.key(), segments.value()))
        return false;
    }
    std::string before;
    Cursor cursor(from_, kMessage);
    for (cursor.first(); cursor.valid() && (before.empty() || cursor.key() > std::string_view(before)); cursor.next()) {
      before = cursor.key();
      if (!message(cursor)) return false;
    }
    return flush();
  }

 private:
  bool message(const Cursor& at) {
    const auto row = try_row<MessageRow>(kMessage, at.key(), at.value());
    if (!row || at.key().size() != 8) return true;
    SalvagedMessage found{.id = key_number<std::uint64_t>(at.key(), 0), .row = *row, .recipients = {}, .owed = false};
    Cursor cursor(from_, kRecipient);
    for (cursor.seek(at.key()); cursor.valid() && cursor.key().starts_with(at.key()); cursor.next()) {
      auto recipient = try_row<RecipientState>(kRecipient, cursor.key(), cursor.value());
      if (!recipient) return true;
      found.recipients.push_back(std::move(*recipient));
    }
    if (found.recipients.empty()) return true;
    found.owed = from_.get(kOwed, at.key()).has_value();
    const SegmentId segment{row->record.writer, row->record.segment};
    auto& count = found_[segment];
    count.live_records += 1;
    count.live_bytes += padded(row->record.length);
    return put(kBySalvagedPlace, place_of_record(row->record), base::encode(found));
  }

  bool put(Table table, std::string_view key, std::string_view value) {
    if (!txn_) {
      auto txn = WriteTxn::begin(to_);
      if (!txn) return false;
      txn_ = std::move(*txn);
    }
    if (!txn_->put(table, key, value)) return false;
    return ++in_txn_ < kBatch || flush();
  }

  bool flush() {
    in_txn_ = 0;
    if (!txn_) return true;
    for (const auto& [id, count] : found_) {
      if (!txn_->put(kFound, segment_key(id), base::encode(count))) return false;
    }
    return std::exchange(txn_, nullptr)->commit().has_value();
  }

  const Txn& from_;
  Env& to_;
  std::unique_ptr<WriteTxn> txn_;
  std::size_t in_txn_ = 0;
  std::map<SegmentId, SegmentRow> found_;
};

// Never returns to the caller's code.
[[noreturn]] void be_child(const std::string& from, const std::string& folder, EnvOptions options) {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDERR_FILENO);  // its last words would only frighten: the parent tells what was found
  EnvOptions reading = options;
  reading.read_only = true;
  auto old = Env::open(from, kTables, reading);
  auto out = Env::open(folder, kSalvageTables, options);
  if (!old || !out) ::_exit(1);
  ReadTxn txn(**old);
  if (!txn.renew()) ::_exit(1);
  ::_exit(Reader(txn, **out).run() ? 0 : 1);
}

}  // namespace

base::Result<std::unique_ptr<Salvage>> Salvage::make(const std::string& from, const std::string& folder,
                                                     EnvOptions options) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  options.read_only = false;
  const pid_t child = ::fork();
  if (child < 0) return base::fail_errno("fork", errno);
  if (child == 0) be_child(from, folder, options);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  auto env = Env::open(folder, kSalvageTables, options);
  if (!env) return std::unexpected(env.error());
  std::unique_ptr<Salvage> out(new Salvage(std::move(*env)));
  if (auto view = out->txn_->renew(); !view) return std::unexpected(view.error());
  return out;
}

Salvage::Salvage(std::unique_ptr<Env> env) : env_(std::move(env)), txn_(std::make_unique<ReadTxn>(*env_)) {}

std::optional<SalvagedMessage> Salvage::at(const mail::RecordRef& record) const {
  const auto value = txn_->get(kBySalvagedPlace, place_of_record(record));
  return value ? base::decode<SalvagedMessage>(*value) : std::nullopt;
}

std::optional<SegmentRow> Salvage::segment(SegmentId id) const {
  const Key key = segment_key(id);
  const auto value = txn_->get(kSalvagedSegment, key);
  return value ? try_row<SegmentRow>(kSegment, key, *value) : std::nullopt;
}

bool Salvage::complete(SegmentId id) const {
  const auto row = segment(id);
  if (!row) return false;
  const auto value = txn_->get(kFound, segment_key(id));
  const auto found = value ? base::decode<SegmentRow>(*value).value_or(SegmentRow{}) : SegmentRow{};
  return found.live_records == row->live_records && found.live_bytes == row->live_bytes;
}

}  // namespace holdfast::storage
