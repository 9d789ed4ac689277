// How many hand-overs may have been repeated: the reply to the final dot was lost, and the message was kept or
// tried again (design.md section 3). Kept in the index, over restarts.
#pragma once

#include <cstdint>

#include "common/base/error.h"
#include "common/storage/lmdb.h"

namespace holdfast::qmgr {

base::Status count_possible_duplicate(storage::WriteTxn& txn);
std::uint64_t possible_duplicates(const storage::Txn& txn);

}  // namespace holdfast::qmgr
