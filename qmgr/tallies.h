// What qmgr counts over restarts: numbers in the index, each raised in the transaction of what it counts, so that a
// crash neither loses nor repeats one. `status` shows them; an index made anew begins at 0.
#pragma once

#include <cstdint>

#include "common/base/error.h"
#include "common/storage/queue_index.h"

namespace holdfast::qmgr {

enum class Tally : std::uint8_t {
  kPossibleDuplicates,  // the answer to the dot was lost: the destination may have taken the message
  kBounces,             // reports of failure put into the queue: each is potential backscatter
  kDelayNotices,
  kSuppressed,  // reports that somebody was owed and nobody got (Told::suppressed)
};

std::uint64_t tally(const storage::Txn& txn, Tally what);
base::Status count(storage::WriteTxn& txn, Tally what);

}  // namespace holdfast::qmgr
