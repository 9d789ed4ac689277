#include "qmgr/clock_watch.h"

namespace holdfast::qmgr {

// Small steps and drift are followed, so that they never sum up to a jump.
std::optional<base::Millis> ClockWatch::look(base::Wall wall, base::Mono mono) {
  const auto offset = wall.time_since_epoch() - std::chrono::duration_cast<base::Millis>(mono.time_since_epoch());
  const auto before = offset_.value_or(offset);
  offset_ = offset;
  const auto moved = offset - before;
  if (moved <= kJump && moved >= -kJump) return std::nullopt;
  doubt_until_ = mono + second_look_;
  return moved;
}

}  // namespace holdfast::qmgr
