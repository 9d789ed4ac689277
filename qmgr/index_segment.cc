#include "qmgr/index_segment.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/storage/segment_reader.h"

namespace holdfast::qmgr {
namespace {

storage::MessageRow row_of(const storage::Record& record) {
  const auto& envelope = record.envelope();
  storage::MessageRow row;
  row.record = record.ref();
  row.generation = record.header().generation;
  row.size = record.content_size();
  row.sender = envelope.sender;
  row.destination = envelope.destination;
  row.arrival_ms = envelope.arrival_ms;
  row.due_ms = envelope.arrival_ms;
  row.open = static_cast<std::uint32_t>(envelope.recipients.size());
  row.unfiltered = envelope.unfiltered;
  return row;
}

std::vector<storage::RecipientState> recipients_of(const mail::Envelope& envelope) {
  std::vector<storage::RecipientState> out;
  for (const auto& r : envelope.recipients) {
    out.push_back({.address = r.address, .known = r.known, .status = storage::RecipientStatus::kOpen, .reply = {}, .dsn = {}});
  }
  return out;
}

// Copies what can be read of a damaged record into spool/corrupt, for a person to look at. Blocks that the
// disk does not give are zeros there.
base::Status set_aside(const IndexStep& step, const storage::Segment& segment, std::uint64_t offset,
                       std::uint64_t length, const std::string& name) {
  const std::string folder = storage::corrupt_folder(step.spool);
  if (auto done = base::make_folders(folder); !done) return done;
  const std::string path = folder + "/" + name;
  const base::UniqueFd copy(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!copy) return base::fail_errno(path, errno);
  std::string block;
  for (std::uint64_t at = 0; at < length; at += storage::kBlock) {
    block.assign(static_cast<std::size_t>(std::min<std::uint64_t>(length - at, storage::kBlock)), '\0');
    (void)segment.read(offset + at, block);
    if (auto done = base::write_all(copy.get(), block); !done) return done;
  }
  return ::fsync(copy.get()) == 0 ? base::Status{} : base::fail_errno("fsync " + path, errno);
}

// A segment without a sound header: nothing in it can be checked, so all of it goes to the person.
base::Status move_aside(const IndexStep& step) {
  const std::string folder = storage::corrupt_folder(step.spool);
  if (auto done = base::make_folders(folder); !done) return done;
  const std::string from = storage::segments_folder(step.spool) + "/" + step.id.file_name();
  if (::rename(from.c_str(), (folder + "/" + step.id.file_name()).c_str()) != 0) {
    return base::fail_errno("rename " + from, errno);
  }
  return base::fsync_folder(folder);
}

// The state of one step while the scan calls back.
class Step {
 public:
  Step(storage::QueueIndex& index, storage::WriteTxn& txn, const IndexStep& step, IndexedStep& out)
      : index_(index), txn_(txn), step_(step), out_(out) {}

  base::Status run() {
    const auto before = index_.segment(txn_, step_.id);
    if (before && before->state != storage::SegmentState::kLive) return finish(before->indexed_upto, true);
    auto segment = storage::Segment::open(storage::segments_folder(step_.spool), step_.id);
    if (!segment) return without_file(segment.error(), before);
    segment_ = std::move(*segment);
    const std::uint64_t from = before ? before->indexed_upto : storage::kBlock;
    if (from >= step_.upto && !step_.seal) return finish(from, false);
    const auto end = read(from);
    if (!status_) return status_;
    if (!end) return give_up(end.error(), from);
    return put_mark(*end);
  }

 private:
  base::Result<std::uint64_t> read(std::uint64_t from) {
    const storage::ScanHandler handler{
        .record = [&](const storage::Record& record) { return take(record); },
        .damaged = [&](const auto& header, auto offset, auto length) { damaged(header, offset, length); },
        .bad_blocks = [&](auto offset, auto length) { bad_blocks(offset, length); }};
    return storage::scan(segment_, {.from = from, .upto = step_.upto, .check_content = step_.after_crash}, handler);
  }

  bool take(const storage::Record& record) {
    const auto& envelope = record.envelope();
    status_ = index_.add(txn_, record.header().id, row_of(record), recipients_of(envelope));
    if (!status_) return false;
    out_.messages.push_back({.id = record.header().id,
                             .sender = envelope.sender,
                             .destination = envelope.destination,
                             .message_id = envelope.message_id,
                             .size = record.content_size(),
                             .recipients = envelope.recipients.size()});
    full_ = out_.messages.size() >= step_.most;
    return !full_;
  }

  void damaged(const storage::RecordHeader& header, std::uint64_t offset, std::uint64_t length) {
    if (!status_) return;
    const std::string name = fmt::format("{}-{:X}-{}", step_.id.file_name(), offset, header.id.text());
    // One that cannot be set aside must not stop the rest of the queue.
    const auto done = set_aside(step_, *segment_, offset, length, name);
    const std::string where = done ? "set aside as corrupt/" + name : "not set aside: " + done.error().text;
    out_.warnings.push_back(
        fmt::format("{}: the content in {} is damaged: {}", header.id.text(), step_.id.file_name(), where));
  }

  void bad_blocks(std::uint64_t offset, std::uint64_t length) {
    out_.warnings.push_back(fmt::format("segment {}: no record in {} bytes at {}: never acknowledged, or damaged",
                                        step_.id.file_name(), length, offset));
  }

  // The mark never goes back: live records were counted in meanwhile, so the row is read again.
  base::Status put_mark(std::uint64_t end) {
    auto row = index_.segment(txn_, step_.id).value_or(storage::SegmentRow{});
    row.indexed_upto = std::max(row.indexed_upto, end);
    if (step_.seal && !full_) row.state = storage::SegmentState::kSealed;
    if (auto done = index_.put_segment(txn_, step_.id, row); !done) return done;
    out_.reached = row.indexed_upto;
    out_.finished = !full_;
    out_.over = row.state != storage::SegmentState::kLive;
    return {};
  }

  base::Status finish(std::uint64_t mark, bool over) {
    out_.reached = mark;
    out_.finished = true;
    out_.over = over;
    return {};
  }

  base::Status give_up(const base::Error& error, std::uint64_t mark) {
    out_.warnings.push_back(error.text);
    out_.unreadable = true;
    return finish(mark, false);
  }

  // Reclaimed long ago, or lost, or not a segment at all.
  base::Status without_file(const base::Error& error, const std::optional<storage::SegmentRow>& before) {
    const std::uint64_t mark = before ? before->indexed_upto : storage::kBlock;
    if (error.kind != base::Kind::kNotFound && error.kind != base::Kind::kData) return give_up(error, mark);
    if (before && before->live_records > 0) {
      out_.warnings.push_back(fmt::format("{}: the segment of {} queued messages", error.text, before->live_records));
    }
    if (error.kind == base::Kind::kData && step_.seal) {
      out_.warnings.push_back(fmt::format("{}: the file is set aside in corrupt/", error.text));
      if (auto done = move_aside(step_); !done) return give_up(done.error(), mark);
    } else if (error.kind == base::Kind::kData) {
      return give_up(error, mark);
    }
    if (before && step_.seal) return put_mark(mark);
    return finish(mark, true);
  }

  storage::QueueIndex& index_;
  storage::WriteTxn& txn_;
  const IndexStep& step_;
  IndexedStep& out_;
  std::shared_ptr<storage::Segment> segment_;
  base::Status status_{};
  bool full_ = false;
};

}  // namespace

base::Status index_step(storage::QueueIndex& index, storage::WriteTxn& txn, const IndexStep& step, IndexedStep& out) {
  out = {};
  return Step(index, txn, step, out).run();
}

}  // namespace holdfast::qmgr
