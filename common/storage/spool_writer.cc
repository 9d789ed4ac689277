#include "common/storage/spool_writer.h"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "common/base/codec.h"
#include "common/storage/record.h"

namespace holdfast::storage {
namespace {

// Enough to know whether a segment has room before the envelope is encoded for good.
std::uint64_t record_length(const SpoolWriter::Submission& s) {
  std::uint64_t length = kRecordHeaderBytes + base::encode(s.envelope).size() + s.content.size();
  for (const auto& copy : s.copies) {
    length = padded(length) + kRecordHeaderBytes + base::encode(copy.envelope).size() + s.copies_head.size() + s.content.size();
  }
  return length;
}

}  // namespace

SpoolWriter::SpoolWriter(Options options, std::function<void(Batch)> finished, FileOps& ops)
    : options_(std::move(options)), finished_(std::move(finished)), ops_(ops), thread_([this] { run(); }) {}

SpoolWriter::~SpoolWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

bool SpoolWriter::submit(Submission submission) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.most_waiting) return false;
    first = waiting_.empty();
    waiting_.push_back(std::move(submission));
  }
  if (first) wake_.notify_one();
  return true;
}

void SpoolWriter::withdraw(std::uint64_t token) {
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const Submission& s) { return s.token == token; });
}

std::vector<SegmentMark> SpoolWriter::marks() {
  const std::lock_guard lock(mutex_);
  std::erase_if(marks_, [&](const SegmentMark& mark) {  // reclaimed by qmgr meanwhile
    return mark.sealed && ::access((options_.folder + "/" + mark.id.file_name()).c_str(), F_OK) != 0;
  });
  return marks_;
}

void SpoolWriter::run() {
  for (;;) {
    std::deque<Submission> batch;
    bool last = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
      batch.swap(waiting_);
      last = batch.empty();
    }
    if (last) break;
    write_batch(std::move(batch));
  }
  if (segment_ == nullptr) return;
  Batch out;
  note_mark(true, out);
  segment_.reset();
  finished_(std::move(out));
}

void SpoolWriter::write_batch(std::deque<Submission> batch) {
  Batch out;
  std::size_t first_unsynced = 0;
  for (auto& submission : batch) {
    const auto room = make_room(record_length(submission), out, first_unsynced);
    auto record = room ? append(submission) : base::Result<mail::RecordRef>(std::unexpected(room.error()));
    out.completions.push_back({submission.token, std::move(record)});
  }
  sync(out, first_unsynced);
  finished_(std::move(out));
}

base::Result<mail::RecordRef> SpoolWriter::append(Submission& submission) {
  const auto begin = segment_->end();
  auto record = segment_->append(submission.id, 0, submission.envelope, submission.content);
  if (!record || submission.copies.empty()) return record;
  submission.content.replace_front(0, std::move(submission.copies_head));
  for (const auto& copy : submission.copies) {
    if (auto done = segment_->append(copy.id, 0, copy.envelope, submission.content); !done) {
      (void)segment_->cut_back(begin);
      return done;
    }
  }
  return record;
}

// After this segment_ takes a record of this length, or an error says why none does.
base::Status SpoolWriter::make_room(std::uint64_t length, Batch& out, std::size_t& first_unsynced) {
  if (segment_ != nullptr && segment_->has_room(length)) return {};
  if (segment_ != nullptr) {
    sync(out, first_unsynced);
    if (segment_ != nullptr) note_mark(true, out);
    segment_.reset();  // closed: sealed, its lock is free
  }
  auto made = SegmentWriter::create(ops_, options_.folder, {options_.writer, next_segment_++});
  if (!made) return std::unexpected(made.error());
  segment_ = std::move(*made);
  return {};
}

// Makes durable what was appended since the last sync; if that fails its completions become errors and
// the segment is given up.
void SpoolWriter::sync(Batch& out, std::size_t& first_unsynced) {
  const std::size_t from = std::exchange(first_unsynced, out.completions.size());
  if (segment_ == nullptr) return;
  const auto done = segment_->sync();
  if (!done) {
    for (std::size_t i = from; i < out.completions.size(); ++i) {
      if (out.completions[i].record) out.completions[i].record = std::unexpected(done.error());
    }
  }
  const bool sealed = !segment_->usable();
  note_mark(sealed, out);
  if (sealed) segment_.reset();
}

void SpoolWriter::note_mark(bool sealed, Batch& out) {
  const SegmentMark mark{segment_->id(), segment_->synced(), sealed};
  out.marks.push_back(mark);
  const std::lock_guard lock(mutex_);
  if (marks_.empty() || marks_.back().id != mark.id) marks_.push_back(mark);
  marks_.back() = mark;
}

}  // namespace holdfast::storage
