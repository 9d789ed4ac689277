// When a message is tried again whose destination is up and answers 4xx (design.md section 3, Retries).
// Pure: times and jitter come in.
//
// Phases are told by the message's age, counted from our 250. A wait that crosses a phase's end is cut
// there. Behind the last phase the message is tried on at that phase's pace: to give it up and write a
// bounce is issue 3's.
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/time.h"
#include "common/config/config.h"

namespace holdfast::qmgr {

struct AttemptHistory {
  std::int64_t arrival_ms = 0;
  std::int64_t now_ms = 0;            // the attempt that has just failed
  std::int64_t last_attempt_ms = 0;   // the one before it; 0: there was none
  std::int64_t last_wait_ms = 0;      // what was planned between the two
};

// The time of the next attempt. `jitter` in [0, 1) moves a wait by up to 5 % either way, so that messages
// which came together do not come back together.
std::int64_t next_attempt_ms(const std::vector<config::Phase>& schedule, const AttemptHistory& history, double jitter);

}  // namespace holdfast::qmgr
