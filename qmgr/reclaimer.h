// Gives the disk back (design.md section 4, step 6): a sealed segment none of whose records is in the queue
// any more is committed as dead, then unlinked and its folder fsynced, and only then its row is deleted.
// Whatever a crash leaves half done is done again. One that holds damage which could not be copied to corrupt/ stays
// until that is done, and it is tried here.
#pragma once

#include <set>
#include <string>

#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"

namespace holdfast::qmgr {

class Reclaimer {
 public:
  Reclaimer(const std::string& spool, storage::QueueIndex& index, storage::BatchWriter& writer);
  // Costs the number of segments. Called now and then, and at the start.
  void look();

 private:
  void declare_dead(storage::SegmentId id);
  void unlink(storage::SegmentId id);
  void set_damage_aside(storage::SegmentId id);
  base::Status set_damage_aside(storage::WriteTxn& txn, storage::SegmentId id);

  const std::string spool_, folder_;
  storage::QueueIndex& index_;
  storage::BatchWriter& writer_;
  storage::ReadTxn read_;
  std::set<storage::SegmentId> under_way_;
};

}  // namespace holdfast::qmgr
