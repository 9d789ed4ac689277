// A reader's handle of the queue's index that outlives `queue rebuild`: it is opened anew when another file was put in the
// place of the one that is open. For one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/error.h"
#include "common/storage/queue_index.h"

namespace holdfast::storage {

class IndexReader {
 public:
  // A view of this moment. kNotFound while nothing was ever kept.
  base::Status read(const std::string& spool, std::uint64_t map_bytes, const std::function<void(const QueueIndex&, const Txn&)>& questions);
  // Whether there is an index at all.
  static bool exists(const std::string& spool);

 private:
  std::unique_ptr<QueueIndex> index_;
  std::unique_ptr<ReadTxn> txn_;  // after it: it ends first
  std::uint64_t device_ = 0, inode_ = 0;  // of the open one, which keeps its number from being given again
};

}  // namespace holdfast::storage
