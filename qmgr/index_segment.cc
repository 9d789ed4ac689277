#include "qmgr/index_segment.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/storage/corrupt.h"
#include "common/storage/new_message.h"
#include "common/storage/segment_reader.h"

namespace holdfast::qmgr {
namespace {

constexpr std::size_t kMostRows = 5000;  // a step; messages of a thousand recipients each are fewer

// Cuts what an earlier qmgr has appended to a segment of its own and never committed.
base::Status cut(const IndexStep& step, std::uint64_t mark) {
  const std::string path = storage::segments_folder(step.spool) + "/" + step.id.file_name();
  const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return base::fail_errno(path, errno);
  if (::ftruncate(fd.get(), static_cast<off_t>(mark)) != 0) return base::fail_errno("ftruncate " + path, errno);
  return ::fsync(fd.get()) == 0 ? base::Status{} : base::fail_errno("fsync " + path, errno);
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
    if (is_own_of_this_index()) return seal_own(from);
    if (txn_.nearly_full()) {
      return give_up({base::Kind::kNoSpace, "the queue index is nearly full: new mail waits in the segments"}, from);
    }
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
    auto row = storage::first_row(record);
    if (step_.plan) step_.plan(row, envelope);
    status_ = index_.add(txn_, record.header().id, row, storage::first_recipients(envelope));
    if (!status_) return false;
    out_.messages.push_back({.id = record.header().id,
                             .sender = envelope.sender,
                             .destination = envelope.destination,
                             .message_id = envelope.message_id,
                             .size = record.content_size(),
                             .recipients = envelope.recipients.size()});
    rows_ += 1 + envelope.recipients.size();
    full_ = out_.messages.size() >= step_.most || rows_ >= kMostRows || txn_.nearly_full();
    return !full_;
  }

  void damaged(const storage::RecordHeader& header, std::uint64_t offset, std::uint64_t length) {
    if (!status_) return;
    put_aside({offset, length, header.id.value},
              fmt::format("{}: the content in {} is damaged", header.id.text(), step_.id.file_name()));
  }

  // Torn by a crash and never acknowledged, or damaged later: who can tell?
  void bad_blocks(std::uint64_t offset, std::uint64_t length) {
    if (!status_) return;
    put_aside({offset, length},
              fmt::format("segment {}: no record in {} bytes at {}: never acknowledged, or damaged",
                          step_.id.file_name(), length, offset));
  }

  // What cannot be set aside must not stop the rest of the queue: the reclaimer comes back to it.
  void put_aside(const storage::Damage& place, const std::string& what) {
    const auto done = storage::set_aside(step_.spool, *segment_, place);
    if (done && done->empty()) {
      if (!ends_the_file(place.offset + place.length)) out_.warnings.push_back(what + " (zeros)");
      return;
    }
    ++out_.damaged;
    if (!done) left_.push_back(place);
    const std::string where = done ? "set aside as corrupt/" + *done : "not set aside yet: " + done.error().text;
    out_.warnings.push_back(what + ": " + where);
  }

  // Zeros there are the room that its writer had made ahead.
  bool ends_the_file(std::uint64_t end) const {
    const auto size = segment_->size();
    return size && end >= *size;
  }

  // One older than the index: an index was lost that knew more of it than we. It is read to its end like any other.
  bool is_own_of_this_index() const {
    return segment_->header().owner == storage::SegmentOwner::kQmgr && step_.id.writer >= index_.born(txn_);
  }

  base::Status seal_own(std::uint64_t mark) {
    if (!step_.after_crash) return finish(mark, false);  // qmgr's own hand, and alive
    const auto size = segment_->size();
    if (!size) return give_up(size.error(), mark);
    if (*size > mark) {
      if (auto done = cut(step_, mark); !done) return give_up(done.error(), mark);
    }
    return put_mark(mark);
  }

  // The mark never goes back: live records were counted in meanwhile, so the row is read again.
  base::Status put_mark(std::uint64_t end) {
    auto row = index_.segment(txn_, step_.id).value_or(storage::SegmentRow{});
    row.indexed_upto = std::max(row.indexed_upto, end);
    for (const auto& place : left_) row.add_damage(place);
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
      ++out_.damaged;
      if (auto done = storage::move_aside(step_.spool, step_.id); !done) return give_up(done.error(), mark);
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
  std::vector<storage::Damage> left_;  // not set aside yet
  base::Status status_{};
  bool full_ = false;
  std::size_t rows_ = 0;
};

}  // namespace

base::Status index_step(storage::QueueIndex& index, storage::WriteTxn& txn, const IndexStep& step, IndexedStep& out) {
  out = {};
  return Step(index, txn, step, out).run();
}

}  // namespace holdfast::qmgr
