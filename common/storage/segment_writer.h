// Writes one segment. A record exists whole or not at all; it may be promised to anybody only after
// sync() has returned well. One thread at a time.
//
// Behind the last record of a segment in use lie zeros, written ahead: a sync of records that go over blocks the file
// has already needs no new length and no new block in the file system's journal, and takes half the time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/mail/envelope.h"
#include "common/mail/queue_id.h"
#include "common/mail/record_ref.h"
#include "common/storage/content.h"
#include "common/storage/file_ops.h"
#include "common/storage/segment.h"

namespace holdfast::storage {

inline constexpr std::uint64_t kRoomAhead = 512 << 10;  // zeros behind the last record, at most
inline constexpr std::uint64_t kSmallRecord = 64 << 10;  // a larger one costs more to write twice than its sync

class SegmentWriter {
 public:
  // Made under a temporary name, locked, given its header, fsynced, renamed, the folder fsynced: only
  // then it is returned. The lock tells qmgr that the writer lives.
  static base::Result<std::unique_ptr<SegmentWriter>> create(FileOps& ops, const std::string& folder, SegmentId id,
                                                               SegmentOwner owner = SegmentOwner::kSmtpd);

  // Gives back the room that is left behind the last record.
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  // A failed write is cut off again; if even that fails the segment takes nothing more.
  base::Result<mail::RecordRef> append(mail::QueueId id, std::uint32_t generation, const mail::Envelope& envelope,
                                       const Content& content);
  // On failure the file is never synced again: it is cut to what was durable before, and takes nothing more.
  base::Status sync();
  // Takes back records appended behind `end`, synced or not, that nobody was promised. If that fails the
  // segment takes nothing more; what stays behind `end` must then be cut by whoever recovers it.
  base::Status cut_back(std::uint64_t end);

  // True while another record of this length may be appended. One larger than a segment gets its own.
  bool has_room(std::uint64_t record_length) const;
  bool usable() const { return usable_; }
  SegmentId id() const { return header_.id; }
  std::uint64_t synced() const { return synced_; }
  std::uint64_t end() const { return end_; }

 private:
  SegmentWriter(FileOps& ops, base::UniqueFd fd, SegmentHeader header);
  base::Status write_record(const std::string& head, const Content& content, std::uint64_t at);
  void make_room_ahead(std::uint64_t last_record);
  base::Status cut(std::uint64_t length);

  FileOps& ops_;
  base::UniqueFd fd_;
  SegmentHeader header_;
  std::uint64_t end_ = kBlock;     // where the next record begins
  std::uint64_t synced_ = kBlock;  // durable up to here
  std::uint64_t room_ = kBlock;    // the file's length while it is more than end_: zeros up to here
  bool no_room_ahead_ = false;     // the disk had none: not tried again
  bool usable_ = true;
  bool sync_failed_ = false;
};

}  // namespace holdfast::storage
