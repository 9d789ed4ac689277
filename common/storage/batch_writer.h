// The one thread that writes an LMDB environment: no commit blocks an event loop, and never is there one
// a message. Operations are gathered and committed together, `interval` after the last commit or when
// there are `most` of them.
//
// A batch whose commit fails (a full disk or map) is dropped by LMDB; its operations are kept and done
// again, in the same order, until it goes well; of a batch that meets a full disk or map first the one half, then
// what is left: a smaller commit may still find room. So an operation reads and writes through its transaction
// only, may run several times, and is counted as done when `done` is called, not when it has run. It returns
// the errors of the transaction, no others: absence is no error.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "common/base/error.h"
#include "common/base/time.h"
#include "common/storage/lmdb.h"

namespace holdfast::storage {

class BatchWriter {
 public:
  using Operation = std::function<base::Status(WriteTxn&)>;
  using Done = std::function<void()>;

  struct Options {
    base::Millis interval{50};
    std::size_t most = 1000;
    base::Millis retry{1000};  // after a failed commit
  };
  // All are called on the writer's thread: post to your loop.
  struct Hooks {
    // Once a commit: the `done`s of its operations, in order, to be run by the receiver.
    std::function<void(std::vector<Done>)> committed;
    // At each change: an error while commits fail (again when it is of another kind), nothing when they work again.
    std::function<void(std::optional<base::Error>)> health;
    // Around each try of a batch: before its first operation; before its commit (what operations wrote
    // elsewhere becomes durable here, an error drops the batch); and when it was dropped. After an error of
    // prepare the batch is tried once more at once: operations shall leave out by then what it was about.
    std::function<void()> begun = {};
    std::function<base::Status(WriteTxn&)> prepare = {};
    std::function<void(const base::Error&)> dropped = {};
  };

  BatchWriter(Env& env, Options options, Hooks hooks);
  // Tries once to commit what is left.
  ~BatchWriter();
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  // From any thread. `urgent` does not wait for the interval.
  void submit(Operation operation, Done done = {}, bool urgent = false);
  // Operations not committed yet.
  std::size_t pending() const;

 private:
  struct Entry {
    Operation operation;
    Done done;
  };
  void run();
  void take_batch(std::unique_lock<std::mutex>& lock);
  bool halve();
  base::Status commit_batch();
  base::Status try_once(bool& prepared);
  base::Status try_batch(bool& prepared);
  void report(std::optional<base::Error> error);

  Env& env_;
  const Options options_;
  const Hooks hooks_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> queue_;
  std::vector<Entry> batch_;  // the thread's own, but for its size
  std::atomic<std::size_t> in_batch_{0};
  base::Mono last_commit_{};
  bool urgent_ = false, ending_ = false;
  std::optional<base::Kind> failing_;
  std::size_t suspects_ = 0;  // operations of a failed batch that are not committed yet: until then it is failing
  std::thread thread_;
};

}  // namespace holdfast::storage
