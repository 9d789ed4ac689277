#include "qmgr/duplicates.h"

#include "common/storage/queue_tables.h"

namespace holdfast::qmgr {
namespace {

constexpr std::string_view kName = "possible_duplicates";

}  // namespace

std::uint64_t possible_duplicates(const storage::Txn& txn) {
  return storage::queue_tables::find_number(txn, kName).value_or(0);
}

base::Status count_possible_duplicate(storage::WriteTxn& txn) {
  return storage::queue_tables::put_number(txn, kName, possible_duplicates(txn) + 1);
}

}  // namespace holdfast::qmgr
