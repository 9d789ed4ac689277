// When a message is tried again whose destination is up and answers 4xx (design.md section 3, Retries).
// Pure: times and chance come in. The arithmetic of phases is common/config/schedule.h's; here a message's row
// and its jitter are added.
#pragma once

#include <cstdint>

#include "common/config/config.h"
#include "common/storage/queue_index.h"

namespace holdfast::qmgr {

// How much a destination's waits are moved: `percent` either way, by `chance` in [0, 1).
struct Jitter {
  int percent = 5;
  double chance = 0.5;
};

// After an attempt that failed at `now_ms`: sets due_ms and wait_ms. `last_attempt_ms` is the attempt before that
// one, 0: there was none; wait_ms is what was planned between the two. A clock that was set back makes the
// message young, never stuck.
void plan_next_attempt(storage::MessageRow& row, std::int64_t last_attempt_ms, std::int64_t now_ms,
                       const std::vector<config::Phase>& schedule, Jitter jitter);

// The latest that the schedule could have set from now: what is due later was planned by another clock, or by
// another schedule.
std::int64_t latest_due_ms(const std::vector<config::Phase>& schedule, std::int64_t now_ms, int jitter_percent);

}  // namespace holdfast::qmgr
