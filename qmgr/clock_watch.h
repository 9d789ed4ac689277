// Tells a wall clock that jumps from time that passes, by the monotonic clock. Pure.
//
// Ages are counted by wall time, so that a clock set wrong for a moment would give up the whole queue. After a
// jump of more than an hour either way the wall clock is in doubt: nothing expires until ten minutes (monotonic)
// have passed without another jump. A machine that slept looks like a jump, and is treated so: mail that could
// not be tried meanwhile gets its ten minutes.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/time.h"

namespace holdfast::qmgr {

class ClockWatch {
 public:
  static constexpr base::Millis kJump{3'600'000};
  static constexpr base::Millis kSecondLook{600'000};

  explicit ClockWatch(base::Millis second_look = kSecondLook) : second_look_(second_look) {}

  // Called as often as one likes. Gives a jump once, when it is seen: positive is forward.
  std::optional<base::Millis> look(base::Wall wall, base::Mono mono);
  // May what is late be given up? Not while the clock is in doubt.
  bool believed(base::Mono mono) const { return !doubt_until_ || mono >= *doubt_until_; }
  std::optional<base::Mono> doubt_until() const { return doubt_until_; }

 private:
  const base::Millis second_look_;
  std::optional<base::Millis> offset_;   // wall less monotonic, when they last agreed
  std::optional<base::Mono> doubt_until_;
};

}  // namespace holdfast::qmgr
