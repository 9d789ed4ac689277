// One step of indexing, done on the index writer's thread: reads records of a segment from the index's own
// mark on, and commits rows and mark in one transaction (design.md section 4, steps 3 to 5). Doing it
// again changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/mail/envelope.h"
#include "common/storage/queue_index.h"
#include "common/storage/segment.h"

namespace holdfast::qmgr {

struct IndexStep {
  std::string spool;              // paths.spool
  storage::SegmentId id;
  std::uint64_t upto = 0;         // nothing behind it is looked at
  bool seal = false;              // its writer has ended, or said so: when all is read it is sealed
  bool after_crash = false;       // nobody vouches for what is read: contents are checked too
  std::size_t most = 500;         // records
  // Sets what the configuration says of a new message (expires_ms, warn_ms). On the writer's thread.
  std::function<void(storage::MessageRow&, const mail::Envelope&)> plan = {};
};

struct NewMessage {
  mail::QueueId id;
  std::string sender, destination, message_id;
  std::uint64_t size = 0;
  std::size_t recipients = 0;
};

struct IndexedStep {
  std::vector<NewMessage> messages;
  std::vector<std::string> warnings;  // bad blocks, records set aside
  std::size_t damaged = 0;            // records, or stretches that may have been some
  std::uint64_t reached = 0;          // the mark now
  bool finished = false;              // nothing is left before `upto`
  bool over = false;                  // sealed, or its file is gone: there will never be more
  bool unreadable = false;            // not now: to be tried again later
};

// `out` is made anew each time. A file that is gone is no error: it was reclaimed. One that cannot be read
// is told of in the warnings and left for later: it must not stop what else is to be committed.
base::Status index_step(storage::QueueIndex& index, storage::WriteTxn& txn, const IndexStep& step, IndexedStep& out);

}  // namespace holdfast::qmgr
