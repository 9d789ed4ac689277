// Finds all mail that smtpd has spooled, whatever happened to whom (design.md section 4, steps 3 and 4).
// A live writer's segment is read as far as its writer said; one whose writer is gone (its lock is free) is
// read to its end and sealed. Lives on the loop; reading and committing happen on the index's writer thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/base/file.h"
#include "common/ipc/messages.h"
#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"
#include "qmgr/index_segment.h"

namespace holdfast::qmgr {

class Indexer {
 public:
  static constexpr std::size_t kRecoverAtOnce = 4;  // segments of dead writers in one batch

  using Indexed = std::function<void(const IndexedStep&)>;
  using Plan = std::function<void(storage::MessageRow&, const mail::Envelope&)>;
  Indexer(std::string spool, storage::QueueIndex& index, storage::BatchWriter& writer, Indexed indexed);

  // What the configuration says of new messages (IndexStep::plan), from now on. Called on the writer's thread: it
  // owns what it looks at.
  void set_plan(Plan plan) { plan_ = std::move(plan); }
  void synced(const ipc::Synced& mark);
  // Looks through the folder for segments that nobody has told us of to the end: at the start, when a
  // writer's connection ends, and now and then (a writer may die before it ever spoke to us).
  base::Status look_for_orphans();
  // What segments being made leave behind when their writer dies: removed if their lock is free.
  void remove_unfinished();

 private:
  struct Work {
    std::uint64_t upto = 0;
    bool seal = false;
    bool after_crash = false;
    bool running = false;
    bool again = false;       // could not be read: look_for_orphans() tries again
    base::UniqueFd lock;      // ours, after a crash
  };
  void step(storage::SegmentId id, bool goes_on = false);
  void recover_more();
  void submit(storage::SegmentId id);
  void step_done(const IndexStep& what, const IndexedStep& done);
  void recover(storage::SegmentId id);
  bool is_sealed(storage::SegmentId id);

  const std::string spool_, folder_;
  storage::QueueIndex& index_;
  storage::BatchWriter& writer_;
  const Indexed indexed_;
  Plan plan_;
  std::map<storage::SegmentId, Work> work_;   // segments not read to their end
  // Those of dead writers take turns, one read to its end after the other: all at once would make one huge
  // transaction of a whole spool (LMDB keeps what it changes in memory until it commits).
  std::deque<storage::SegmentId> waiting_;
  std::size_t recovering_ = 0;                // steps of such that are under way
  storage::ReadTxn read_;
};

}  // namespace holdfast::qmgr
