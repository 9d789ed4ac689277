#include "common/storage/index_rebuild.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/storage/corrupt.h"
#include "common/storage/index_lock.h"
#include "common/storage/index_salvage.h"
#include "common/storage/new_message.h"
#include "common/storage/segment_reader.h"

namespace holdfast::storage {
namespace {

constexpr std::size_t kMostTexts = 1000;
constexpr std::size_t kBatch = 1000;  // records a commit

// What `owed` would say of it, if that was lost: the bouncer decides.
bool somebody_waits_for_a_report(const MessageRow& row, const std::vector<RecipientState>& recipients) {
  return !row.sender.empty() && row.state == MessageState::kDeferred &&
         std::any_of(recipients.begin(), recipients.end(),
                     [](const auto& r) { return r.status == RecipientStatus::kRefused && !r.withheld; });
}

class Rebuild {
 public:
  Rebuild(const RebuildOptions& options, RebuildReport& report)
      : options_(options),
        report_(report),
        folder_(QueueIndex::folder(options.spool)),
        new_folder_(folder_ + ".new"),
        salvage_folder_(folder_ + ".salvage") {}

  base::Status run() {
    if (auto done = read_old(); !done) return done;
    std::error_code ignored;
    std::filesystem::remove_all(new_folder_, ignored);
    const auto born = first_unused_writer();
    if (!born) return std::unexpected(born.error());
    auto index = QueueIndex::open_folder(new_folder_, options_.env, *born);
    if (!index) return std::unexpected(index.error());
    index_ = std::move(*index);
    if (auto done = read_segments(); !done) return done;
    index_.reset();
    if (auto done = base::fsync_folder(new_folder_); !done) return done;
    if (auto done = swap(); !done) return done;
    salvage_.reset();
    std::filesystem::remove_all(salvage_folder_, ignored);
    return {};
  }

 private:
  // What cannot be read is not used; that is no error.
  base::Status read_old() {
    std::error_code ignored;
    if (options_.forget || !std::filesystem::exists(folder_ + "/data.mdb", ignored)) return {};
    auto made = Salvage::make(folder_, salvage_folder_, options_.env);
    if (!made) return std::unexpected(made.error());
    salvage_ = std::move(*made);
    return {};
  }

  // So that qmgr reads a segment of its own that had to be left out, and does not cut it (QueueIndex::born()).
  base::Result<std::uint32_t> first_unused_writer() const {
    const auto ids = list_segments(segments_folder(options_.spool));
    if (!ids && ids.error().kind == base::Kind::kNotFound) return 0;
    if (!ids) return std::unexpected(ids.error());
    return ids->empty() ? 0 : ids->back().writer + 1;
  }

  // A segment that the disk does not give now must not cost the others: qmgr comes back to it.
  base::Status leave_out(const base::Error& error) {
    ++report_.damaged;
    tell(error.text + ": left out, qmgr will try again");
    return {};
  }

  base::Status read_segments() {
    const auto ids = list_segments(segments_folder(options_.spool));
    if (!ids && ids.error().kind == base::Kind::kNotFound) return {};
    if (!ids) return std::unexpected(ids.error());
    for (const auto& id : *ids) {
      if (auto done = read_segment(id); !done) return done;
    }
    return {};
  }

  // One that a living smtpd writes is left to qmgr, which is told of it.
  base::Status read_segment(SegmentId id) {
    const std::string path = segments_folder(options_.spool) + "/" + id.file_name();
    const base::UniqueFd lock(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!lock) return leave_out(base::fail_errno(path, errno).error());
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return {};
    if (::fdatasync(lock.get()) != 0) return leave_out(base::fail_errno("fdatasync " + path, errno).error());
    auto opened = Segment::open(segments_folder(options_.spool), id);
    if (!opened && opened.error().kind == base::Kind::kData) {
      tell(opened.error().text + ": the file is set aside in corrupt/");
      return move_aside(options_.spool, id);
    }
    if (!opened) return leave_out(opened.error());
    segment_ = std::move(*opened);
    ++report_.segments;
    return index_segment();
  }

  base::Status index_segment() {
    const auto old = salvage_ ? salvage_->segment(segment_->id()) : std::nullopt;
    if (old && old->state == SegmentState::kDead) return put_row(*old);
    if (auto done = begin(); !done) return done;
    const auto size = segment_->size();
    if (!size) return leave_out(size.error());
    // What qmgr had appended to a segment of its own and not committed is done again.
    const bool own = old && segment_->header().owner == SegmentOwner::kQmgr;
    const auto end =
        scan(segment_, {.from = kBlock, .upto = own ? old->indexed_upto : ~0ULL, .check_content = true}, handler(old));
    if (!status_) return status_;
    if (auto done = commit(); !done) return done;
    if (!end) return leave_out(end.error());
    SegmentRow row{.state = SegmentState::kSealed, .indexed_upto = padded(*size)};
    if (old) row.damage = old->damage;
    for (const auto& place : std::exchange(left_, {})) row.add_damage(place);
    return put_row(std::move(row));
  }

  ScanHandler handler(const std::optional<SegmentRow>& old) {
    const bool complete = salvage_ && salvage_->complete(segment_->id());
    const std::uint64_t known = complete ? old->indexed_upto : 0;  // a record before it and without a row is done
    return {.record =
                [this, known](const Record& record) {
                  status_ = take(record, known);
                  return status_.has_value();
                },
            .damaged =
                [this, known](const RecordHeader& header, std::uint64_t offset, std::uint64_t length) {
                  if (offset < known && !salvage_->at(place(offset))) return;
                  put_aside({offset, length, header.id.value}, header.id.text() + ": its content is damaged");
                  hold_damaged(offset);
                },
            .bad_blocks =
                [this, known](std::uint64_t offset, std::uint64_t length) {
                  if (offset + length <= known && !any_salvaged(offset, length)) return;
                  put_aside({offset, length}, fmt::format("{} bytes at {} hold no record", length, offset));
                  for (std::uint64_t at = offset; at < offset + length; at += kBlock) hold_damaged(at);
                }};
  }

  bool any_salvaged(std::uint64_t offset, std::uint64_t length) const {
    for (std::uint64_t at = offset; at < offset + length; at += kBlock) {
      if (salvage_->at(place(at))) return true;
    }
    return false;
  }

  mail::RecordRef place(std::uint64_t offset) const {
    return {.writer = segment_->id().writer, .segment = segment_->id().number, .offset = offset, .length = 0};
  }

  base::Status take(const Record& record, std::uint64_t known) {
    MessageRow row = first_row(record);
    auto recipients = first_recipients(record.envelope());
    auto old = salvage_ ? salvage_->at(row.record) : std::nullopt;
    const bool same = old && old->id == record.header().id.value && old->row.generation == row.generation &&
                      old->recipients.size() == recipients.size();
    if (!same && row.record.offset < known) return {};
    const bool owed = same && (old->owed || somebody_waits_for_a_report(old->row, old->recipients));
    if (same) {
      row = std::move(old->row);
      recipients = std::move(old->recipients);
      ++report_.kept;
    }
    if (options_.hold && row.state == MessageState::kDeferred) {
      row.state = MessageState::kHeld;
      row.reason = "the queue's index was made anew";
    }
    const auto id = record.header().id;
    if (auto done = index_->add(*txn_, id, row, recipients); !done) return done;
    if (owed) {
      if (auto done = index_->put_owed(*txn_, id); !done) return done;
    }
    ++report_.messages;
    if (++in_txn_ < kBatch) return {};
    if (auto done = commit(); !done) return done;
    return begin();
  }

  // A message that the old index knows was acknowledged: it stays in sight, and its segment on disk.
  void hold_damaged(std::uint64_t offset) {
    auto old = salvage_ && status_ ? salvage_->at(place(offset)) : std::nullopt;
    if (!old) return;
    if (old->row.state == MessageState::kDeferred) old->row.state = MessageState::kHeld;
    old->row.reason = "its record in the spool is damaged";
    status_ = index_->add(*txn_, {old->id}, old->row, old->recipients);
    ++report_.messages;
    ++report_.kept;
  }

  void put_aside(const Damage& place, const std::string& what) {
    const auto done = set_aside(options_.spool, *segment_, place);
    if (done && done->empty()) return;
    ++report_.damaged;
    if (!done) left_.push_back(place);
    tell(segment_->id().file_name() + ": " + what +
         (done ? ": set aside as corrupt/" + *done : ": " + done.error().text));
  }

  // The counts of live records are there already.
  base::Status put_row(SegmentRow row) {
    if (auto done = begin(); !done) return done;
    if (row.state != SegmentState::kDead) {
      const auto counted = index_->segment(*txn_, segment_->id()).value_or(SegmentRow{});
      row.live_records = counted.live_records;
      row.live_bytes = counted.live_bytes;
    }
    if (auto done = index_->put_segment(*txn_, segment_->id(), row); !done) return done;
    return commit();
  }

  base::Status begin() {
    auto txn = WriteTxn::begin(index_->env());
    if (!txn) return std::unexpected(txn.error());
    txn_ = std::move(*txn);
    in_txn_ = 0;
    return {};
  }
  base::Status commit() { return std::exchange(txn_, nullptr)->commit(); }

  // In one step where the file system can; a crash between two renames leaves no index, which is the same as a lost
  // one: the segments hold all mail.
  base::Status swap() {
    std::error_code ec;
    const bool had = std::filesystem::exists(folder_, ec);
    if (had) {
      report_.old_index = free_name();
      if (::renameat2(AT_FDCWD, new_folder_.c_str(), AT_FDCWD, folder_.c_str(), RENAME_EXCHANGE) == 0) {
        if (::rename(new_folder_.c_str(), report_.old_index.c_str()) != 0)
          return base::fail_errno("rename " + new_folder_, errno);
        return base::fsync_folder(options_.spool);
      }
      if (::rename(folder_.c_str(), report_.old_index.c_str()) != 0)
        return base::fail_errno("rename " + folder_, errno);
    }
    if (::rename(new_folder_.c_str(), folder_.c_str()) != 0) return base::fail_errno("rename " + new_folder_, errno);
    return base::fsync_folder(options_.spool);
  }

  std::string free_name() const {
    std::error_code ec;
    for (int n = 1;; ++n) {
      const std::string name = fmt::format("{}.old-{}", folder_, n);
      if (!std::filesystem::exists(name, ec)) return name;
    }
  }

  void tell(std::string text) {
    if (report_.texts.size() < kMostTexts) report_.texts.push_back(std::move(text));
  }

  const RebuildOptions& options_;
  RebuildReport& report_;
  const std::string folder_, new_folder_, salvage_folder_;
  std::unique_ptr<Salvage> salvage_;
  std::unique_ptr<QueueIndex> index_;
  std::unique_ptr<WriteTxn> txn_;
  std::shared_ptr<Segment> segment_;
  std::vector<Damage> left_;  // of this segment: not set aside yet
  std::size_t in_txn_ = 0;
  base::Status status_{};
};

}  // namespace

base::Result<RebuildReport> rebuild_index(const RebuildOptions& options) {
  const auto lock = lock_index(options.spool);
  if (!lock) return std::unexpected(lock.error());
  RebuildReport report;
  if (auto done = Rebuild(options, report).run(); !done) return std::unexpected(done.error());
  return report;
}

}  // namespace holdfast::storage
