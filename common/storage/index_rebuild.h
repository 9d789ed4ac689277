// `gatewayctl queue rebuild`: makes the index from the segments, when it is lost or damaged. What was delivered
// but lies in a segment that was not reclaimed yet is queued again: repeats, never a loss. With `hold` nothing is
// delivered before the admin has looked. What the old index still says soundly of a message (recipients reached,
// attempts, state) is taken over if `old` can be read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/storage/queue_index.h"

namespace holdfast::storage {

struct RebuildOptions {
  std::string spool;                 // paths.spool
  bool hold = false;
  EnvOptions env;
};

struct RebuildReport {
  std::uint64_t messages = 0, segments = 0, damaged = 0;
  std::string old_index;             // the folder the old one was kept as; empty: there was none
  std::vector<std::string> texts;    // of what was damaged or set aside, the first 1,000
};

// kTemporary when qmgr runs (lock_index()). Builds in index.new, fsyncs, and swaps by rename; a crash leaves
// the old index or the new one.
base::Result<RebuildReport> rebuild_index(const RebuildOptions& options);

}  // namespace holdfast::storage
