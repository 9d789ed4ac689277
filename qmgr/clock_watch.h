// Tells a wall clock that jumps from time that passes, by the monotonic clock. Pure.
//
// Ages are counted by wall time, so that a clock set wrong for a moment would give up the whole queue. After a
// jump of more than an hour either way the wall clock is in doubt: nothing expires until ten minutes (monotonic)
// have passed without another jump. A machine that slept or was off looks like a jump and is treated so: mail
// that could not be tried meanwhile gets its ten minutes.
#pragma once

#include <optional>

#include "common/base/time.h"

namespace holdfast::qmgr {

class ClockWatch {
 public:
  static constexpr base::Millis kJump{3'600'000};

  explicit ClockWatch(base::Millis second_look) : second_look_(second_look) {}
  void set_second_look(base::Millis second_look) { second_look_ = second_look; }  // from the next jump on

  // At the start: `before` is the wall time at which somebody of us last lived, if that is known.
  std::optional<base::Millis> begin(base::Wall before, base::Wall wall, base::Mono mono);
  // As often as one likes. Gives a jump once, when it is seen; positive is forward.
  std::optional<base::Millis> look(base::Wall wall, base::Mono mono);
  // May what is late be given up?
  bool believed(base::Mono mono) const { return mono >= doubt_until_; }
  base::Mono doubt_until() const { return doubt_until_; }   // in the past: no doubt

 private:
  std::optional<base::Millis> judge(base::Millis moved, base::Mono mono);

  base::Millis second_look_;
  std::optional<base::Millis> offset_;   // wall less monotonic, at the last look
  base::Mono doubt_until_ = base::Mono::min();
};

}  // namespace holdfast::qmgr
