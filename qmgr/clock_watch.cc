#include "qmgr/clock_watch.h"

namespace holdfast::qmgr {
namespace {

base::Millis offset_of(base::Wall wall, base::Mono mono) {
  return wall.time_since_epoch() - std::chrono::duration_cast<base::Millis>(mono.time_since_epoch());
}

}  // namespace

std::optional<base::Millis> ClockWatch::begin(base::Wall before, base::Wall wall, base::Mono mono) {
  offset_ = offset_of(wall, mono);
  return judge(wall - before, mono);
}

// Small steps and drift are followed, so that they never sum up to a jump.
std::optional<base::Millis> ClockWatch::look(base::Wall wall, base::Mono mono) {
  const auto offset = offset_of(wall, mono);
  const auto moved = offset - offset_.value_or(offset);
  offset_ = offset;
  return judge(moved, mono);
}

std::optional<base::Millis> ClockWatch::judge(base::Millis moved, base::Mono mono) {
  if (moved <= kJump && moved >= -kJump) return std::nullopt;
  doubt_until_ = mono + second_look_;
  return moved;
}

}  // namespace holdfast::qmgr
