// The arithmetic of retry schedules (design.md section 3, Retries), and their reference. Pure; milliseconds.
//
// A message's age tells its phase. A growing phase begins with its start and multiplies the wait before by its
// factor; a wait that crosses the phase's end is cut there. The end of the last phase ends the mail's life: the
// last attempt comes half a minute before it. Who is older by an admin's word goes on as in the last phase.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/config/config.h"

namespace holdfast::config {

struct FailedAttempt {
  std::int64_t age_ms = 0;        // of the message, at the attempt that has just failed
  std::int64_t last_age_ms = -1;  // at the one before it; negative: there was none
  std::int64_t wait_ms = 0;       // planned between the two, neither cut nor with jitter
  std::int64_t life_ms = 0;       // the age at which it is given up; 0: at the schedule's end
};

// The wait that the schedule says, before jitter and before it is cut.
std::int64_t full_wait_ms(const std::vector<Phase>& schedule, const FailedAttempt& failed);
// `wait_ms`, which may have its jitter, cut at the phase's end or the mail's: at least a second. After the last
// attempt it ends behind the mail's life.
std::int64_t cut_wait_ms(const std::vector<Phase>& schedule, const FailedAttempt& failed, std::int64_t wait_ms);
// No attempt is ever planned later than this after the one before it, jitter apart.
std::int64_t longest_wait_ms(const std::vector<Phase>& schedule);

struct PlannedAttempt {
  std::int64_t age_ms = 0, wait_ms = 0;  // the wait before it; of the first, at 0, none
};
// Every attempt of a message that is refused for now each time, without jitter.
std::vector<PlannedAttempt> timetable(const std::vector<Phase>& schedule);

// docs/schedules.md.
std::string schedule_reference();

}  // namespace holdfast::config
