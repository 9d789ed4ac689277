// The prober's hand on the directory: reads on the loop's thread, writes by one writer thread in batches,
// so that no commit blocks the loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/error.h"
#include "common/net/loop.h"
#include "common/storage/batch_writer.h"
#include "common/storage/directory.h"

namespace holdfast::prober {

class Store {
 public:
  static base::Result<std::unique_ptr<Store>> open(net::Loop& loop, const std::string& state_folder);
  ~Store();  // commits what is left

  using Operation = std::function<base::Status(storage::Directory&, storage::WriteTxn&)>;
  // Does `operation` on the writer's thread, again if a commit fails: it reads and writes through its
  // arguments only and owns all it needs. `done` runs on the loop once it is committed.
  void submit(Operation operation, std::function<void()> done = {}, bool urgent = false);

  // A view of one moment; not called when there is none to be had (logged).
  void read(const std::function<void(const storage::Directory&, const storage::Txn&)>& questions);

  std::size_t pending() const;
  bool failing() const { return failing_; }
  void on_failing(std::function<void()> told) { on_failing_ = std::move(told); }  // when commits begin to fail

 private:
  Store(net::Loop& loop, std::unique_ptr<storage::Directory> directory);
  void told_of_health(const std::optional<base::Error>& error);

  net::Loop& loop_;
  std::unique_ptr<storage::Directory> directory_;
  storage::ReadTxn read_;
  net::Timer stale_readers_;
  bool failing_ = false;
  std::function<void()> on_failing_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // what is posted outlives us
  std::unique_ptr<storage::BatchWriter> writer_;                // last: its thread uses the rest
};

}  // namespace holdfast::prober
