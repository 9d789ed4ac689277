// A time by which something must have happened, moved often and seldom reached: the timer underneath runs
// on and looks at the deadline when it fires, so that none is touched for each command.
#pragma once

#include <functional>
#include <optional>

#include "common/base/time.h"
#include "common/net/loop.h"

namespace holdfast::upstream {

class Deadline {
 public:
  // `passed` is called on the loop when the deadline has passed; it may set another.
  Deadline(net::Loop& loop, std::function<void()> passed);

  void in(base::Millis wait);  // from now; replaces the one before
  void none() { at_.reset(); }

 private:
  void arm(base::Millis wait);
  void fired();

  net::Loop& loop_;
  std::function<void()> passed_;
  std::optional<base::Mono> at_;
  base::Mono armed_{};  // when the timer fires
  net::Timer timer_;
};

}  // namespace holdfast::upstream
