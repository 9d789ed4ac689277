#include "qmgr/own_spool.h"

#include <algorithm>

#include "common/base/codec.h"
#include "common/storage/record.h"

namespace holdfast::qmgr {

OwnSpool::OwnSpool(const std::string& spool, std::uint32_t writer, storage::QueueIndex& index, storage::FileOps& ops)
    : folder_(storage::segments_folder(spool)), writer_(writer), index_(index), ops_(ops) {}

// After this segment_ takes a record of this length, or an error says why none does.
base::Status OwnSpool::make_room(std::uint64_t length) {
  if (segment_ != nullptr && segment_->has_room(length)) return {};
  if (segment_ != nullptr) {
    if (auto done = segment_->sync(); !done) unsynced_ = done.error();
    close();
  }
  auto made = storage::SegmentWriter::create(ops_, folder_, {writer_, next_segment_++}, storage::SegmentOwner::kQmgr);
  if (!made) return std::unexpected(made.error());
  segment_ = std::move(*made);
  begin_ = segment_->end();
  return {};
}

// Its lock is kept until the batch has ended: only then the index's mark is what the indexer may cut it at.
void OwnSpool::close() { closed_.push_back(std::move(segment_)); }

void OwnSpool::pause() {
  closed_until_ = base::mono_now() + pause_;
  pause_ = std::min(pause_ * 2, kLongestPause);
}

base::Status OwnSpool::append(storage::WriteTxn& txn, const Entry& entry, base::Result<mail::RecordRef>& record) {
  record = base::fail(base::Kind::kTemporary, "qmgr's own segment could not be synced a moment ago");
  if (unsynced_ || base::mono_now() < closed_until_) return {};
  const auto length = storage::kRecordHeaderBytes + base::encode(entry.envelope).size() + entry.content.size();
  if (auto room = make_room(length); !room) {
    record = std::unexpected(room.error());
    return {};
  }
  record = segment_->append(entry.id, entry.generation, entry.envelope, entry.content);
  if (!record) return {};
  auto row = index_.segment(txn, segment_->id()).value_or(storage::SegmentRow{});
  row.indexed_upto = segment_->end();
  return index_.put_segment(txn, segment_->id(), row);
}

void OwnSpool::begun() {
  unsynced_.reset();
  closed_.clear();
  prepared_ = false;
  if (segment_ != nullptr) begin_ = segment_->end();
}

base::Status OwnSpool::prepare() {
  auto done = unsynced_ ? base::Status(std::unexpected(*unsynced_)) : base::Status{};
  const bool wrote = segment_ != nullptr && segment_->synced() != segment_->end();
  if (done && wrote) done = segment_->sync();
  if (!done) pause();
  else if (wrote) pause_ = kPause;
  prepared_ = done.has_value();
  return done;
}

void OwnSpool::dropped(const base::Error& error) {
  if (segment_ == nullptr || segment_->end() == begin_) return;
  if (prepared_ && error.kind != base::Kind::kNoSpace) {
    pause();
    return close();
  }
  if (!segment_->cut_back(begin_) || !segment_->usable()) close();
}

}  // namespace holdfast::qmgr
