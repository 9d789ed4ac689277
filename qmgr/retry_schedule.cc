#include "qmgr/retry_schedule.h"

#include <algorithm>

#include "common/config/schedule.h"

namespace holdfast::qmgr {

void plan_next_attempt(storage::MessageRow& row, std::int64_t last_attempt_ms, std::int64_t now_ms,
                       const std::vector<config::Phase>& schedule, Jitter jitter) {
  const config::FailedAttempt failed{
      .age_ms = std::max<std::int64_t>(0, now_ms - row.arrival_ms),
      .last_age_ms = last_attempt_ms > 0 ? last_attempt_ms - row.arrival_ms : -1,
      .wait_ms = row.wait_ms,
      .life_ms = row.expires_ms > 0 ? std::max<std::int64_t>(1, row.expires_ms - row.arrival_ms) : 0};
  row.wait_ms = config::full_wait_ms(schedule, failed);
  const double moved = 1.0 + (2 * jitter.chance - 1) * jitter.percent / 100.0;
  const auto wait = static_cast<std::int64_t>(static_cast<double>(row.wait_ms) * moved);
  row.due_ms = now_ms + config::cut_wait_ms(schedule, failed, wait);
}

std::int64_t latest_due_ms(const std::vector<config::Phase>& schedule, std::int64_t now_ms, int jitter_percent) {
  const auto longest = config::longest_wait_ms(schedule);
  return now_ms + longest + longest * jitter_percent / 100 + 1000;
}

}  // namespace holdfast::qmgr
