#include "qmgr/tallies.h"

#include <string_view>

#include "common/base/panic.h"
#include "common/storage/queue_tables.h"

namespace holdfast::qmgr {
namespace {

std::string_view name_of(Tally what) {
  switch (what) {
    case Tally::kPossibleDuplicates: return "possible_duplicates";
    case Tally::kBounces: return "bounces_written";
    case Tally::kDelayNotices: return "delay_notices_written";
    case Tally::kSuppressed: return "bounces_suppressed";
  }
  base::panic("a tally that is none");
}

}  // namespace

std::uint64_t tally(const storage::Txn& txn, Tally what) {
  return storage::queue_tables::find_number(txn, name_of(what)).value_or(0);
}

base::Status count(storage::WriteTxn& txn, Tally what) {
  return storage::queue_tables::put_number(txn, name_of(what), tally(txn, what) + 1);
}

}  // namespace holdfast::qmgr
