// `gatewayctl queue rebuild`: makes the index from the segments, when it is lost or damaged. What the old one still
// says soundly is taken over (recipients reached, attempts, states), and a segment of which it is all there brings
// nothing back that was delivered. Of any other, what lies in it is queued again: repeats, never a loss.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/storage/queue_index.h"

namespace holdfast::storage {

struct RebuildOptions {
  std::string spool;                 // paths.spool
  bool hold = false;                 // nothing is delivered before the admin has looked: all that is deferred is held
  bool forget = false;               // take nothing over from the old index
  EnvOptions env = {};
};

struct RebuildReport {
  std::uint64_t messages = 0;        // in the new index
  std::uint64_t kept = 0;            // of these, with what the old index said of them
  std::uint64_t segments = 0;
  std::uint64_t damaged = 0;         // places set aside in corrupt/
  std::string old_index;             // the folder the old one was kept as; empty: there was none
  std::vector<std::string> texts;    // of what was damaged or set aside, the first 1,000
};

// kTemporary when qmgr runs (lock_index()). Builds in index.new and swaps: a crash leaves the old index or the new
// one. Single-threaded callers only: it forks (index_salvage.h).
base::Result<RebuildReport> rebuild_index(const RebuildOptions& options);

}  // namespace holdfast::storage
