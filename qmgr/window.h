// Loads the next part of what is due for a destination from the index: a bounded number, so that qmgr's
// memory does not grow with the queue.
//
// In `up` messages come in the order in which they become due. While draining everything that has not been
// tried since the drain began is due, whatever its schedule says, the oldest first: one sweep through the
// messages by age, then what has become due since. No row is touched for it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/storage/queue_index.h"
#include "qmgr/lane.h"

namespace holdfast::qmgr {

inline constexpr std::size_t kWindow = 1000;

// Where the sweep of a drain is. Reset it when the state changes.
struct Sweep {
  std::int64_t since_ms = 0;          // 0: no sweep, by due time only
  storage::QueueIndex::Place behind;
  bool ended = false;
};

struct Loaded {
  std::vector<Candidate> candidates;
  bool more = false;
  std::optional<std::int64_t> next_due_ms;  // of what is not due yet
};

// `skip`: those handed out, or with an outcome not committed yet, or in the window.
Loaded load_window(const storage::QueueIndex& index, const storage::Txn& txn, const std::string& destination,
                   Sweep& sweep, std::int64_t now_ms, const std::function<bool(mail::QueueId)>& skip);

}  // namespace holdfast::qmgr
