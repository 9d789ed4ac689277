// What the outcome of a job changes in the index. Pure: rows in, rows out.
//
// A 5xx that counts ends its recipient. There are no bounces yet (issue 3): so that such a message does
// not vanish it is held, with the reason, once nobody else of it is left to try.
#pragma once

#include <cstdint>
#include <vector>

#include "common/ipc/messages.h"
#include "common/storage/queue_index.h"
#include "qmgr/lane.h"
#include "qmgr/retry_schedule.h"

namespace holdfast::qmgr {

struct Ruling {
  Treatment how = Treatment::kAsIs;
  std::int64_t now_ms = 0;
  std::int64_t longest_wait_ms = 0;   // while draining: a deferred message comes back soon; 0: no bound
  double jitter = 0.5;
  std::vector<config::Phase> schedule;
};

enum class Fate : std::uint8_t { kStale, kDone, kDeferred, kHeld };

inline constexpr std::uint32_t kMostLost = 3;

// kStale: this attempt has been dealt with before, or is of another generation; nothing is changed.
// kDone: every recipient has been reached; the message is to be removed.
Fate apply_outcome(storage::MessageRow& row, std::vector<storage::RecipientState>& recipients,
                   const ipc::Outcome& outcome, const Ruling& ruling);

// Open again, due now: a held or deferred message that the admin wants tried.
void reopen(storage::MessageRow& row, std::vector<storage::RecipientState>& recipients, std::int64_t now_ms);

}  // namespace holdfast::qmgr
