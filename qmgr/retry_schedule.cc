#include "qmgr/retry_schedule.h"

#include <algorithm>

#include "common/base/panic.h"

namespace holdfast::qmgr {
namespace {

constexpr std::int64_t kLeastWaitMs = 1000;

std::int64_t ms(base::Seconds s) { return s.count() * 1000; }

// Grows by the factor within a phase, and begins anew in each.
std::int64_t plain_wait(const config::Phase& phase, std::int64_t phase_begin_ms, const AttemptHistory& h) {
  if (phase.every.count() > 0) return ms(phase.every);
  const bool same_phase = h.last_attempt_ms > 0 && h.last_attempt_ms - h.arrival_ms >= phase_begin_ms;
  const auto grown = static_cast<std::int64_t>(static_cast<double>(h.last_wait_ms) * phase.factor);
  return same_phase ? std::max(ms(phase.start), grown) : ms(phase.start);
}

}  // namespace

std::int64_t next_attempt_ms(const std::vector<config::Phase>& schedule, const AttemptHistory& h, double jitter) {
  base::expect(!schedule.empty(), "an empty retry schedule");
  const std::int64_t age = std::max<std::int64_t>(0, h.now_ms - h.arrival_ms);
  std::int64_t begin = 0;
  auto phase = schedule.begin();
  while (phase + 1 != schedule.end() && age >= ms(phase->until)) {
    begin = ms(phase->until);
    ++phase;
  }
  auto wait = plain_wait(*phase, begin, h);
  wait = static_cast<std::int64_t>(static_cast<double>(wait) * (0.95 + 0.1 * jitter));
  const std::int64_t left = ms(phase->until) - age;
  if (left > 0) wait = std::min(wait, left);
  return h.now_ms + std::max(wait, kLeastWaitMs);
}

}  // namespace holdfast::qmgr
