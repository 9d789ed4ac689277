// qmgr's own segments (design.md section 4, step 5): bounces and whatever else qmgr itself writes. Record, the
// segment's mark and the change that caused it are one transaction; what lies behind the mark after a crash
// is cut, for its cause is still in the index and does it again.
//
// Used on the index writer's thread only: append() inside operations, the rest in BatchWriter's hooks. A disk
// that takes nothing must not stop other commits: append() then says so and leaves the transaction alone; after
// a failed fdatasync it takes nothing for a while, so that the batch goes well without it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/time.h"
#include "common/mail/envelope.h"
#include "common/mail/queue_id.h"
#include "common/storage/content.h"
#include "common/storage/file_ops.h"
#include "common/storage/queue_index.h"
#include "common/storage/segment_writer.h"

namespace holdfast::qmgr {

class OwnSpool {
 public:
  // `writer` is the writer number of this start; queue ids and segments are named by it.
  OwnSpool(const std::string& spool, std::uint32_t writer, storage::QueueIndex& index,
           storage::FileOps& ops = storage::real_file_ops());

  // Never given twice, even if the operation that asked is done again.
  mail::QueueId next_id() { return mail::QueueId::make(writer_, ++last_id_); }

  struct Entry {
    mail::QueueId id;
    std::uint32_t generation = 0;
    const mail::Envelope& envelope;
    const storage::Content& content;
  };
  // Appends a record and puts the segment's mark behind it. The status is the transaction's; `record` is an
  // error when the disk did not take it: nothing was changed then, and the operation should leave its cause
  // in the index and come back later.
  base::Status append(storage::WriteTxn& txn, const Entry& entry, base::Result<mail::RecordRef>& record);

  // BatchWriter's hooks.
  void begun();
  base::Status prepare();  // fdatasync; an error drops the batch
  // Cuts what the batch has appended; but when LMDB's commit has failed by anything else than a full disk, it may be
  // on the disk all the same, and the segment is closed as it is: the indexer cuts it at the mark there is.
  void dropped(const base::Error& error);

  static constexpr base::Millis kPause{5'000}, kLongestPause{60'000};  // after a failure; doubling

 private:
  base::Status make_room(std::uint64_t length);
  void close();
  void pause();

  const std::string folder_;
  const std::uint32_t writer_;
  storage::QueueIndex& index_;
  storage::FileOps& ops_;
  std::unique_ptr<storage::SegmentWriter> segment_;
  std::vector<std::unique_ptr<storage::SegmentWriter>> closed_;  // in this batch
  std::uint64_t begin_ = 0;           // where the batch began in segment_
  std::uint32_t next_segment_ = 1;
  std::uint64_t last_id_ = 0;
  std::optional<base::Error> unsynced_;  // a segment closed within this batch could not be synced
  bool prepared_ = false;                // this batch
  base::Millis pause_ = kPause;
  base::Mono closed_until_{};
};

}  // namespace holdfast::qmgr
