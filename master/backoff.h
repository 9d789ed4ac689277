// How long to wait before a daemon that died is started again: 100 ms, doubling to 30 s; a minute of health
// starts over. Pure.
#pragma once

#include "common/base/time.h"

namespace holdfast::master {

using base::Millis;
using base::Mono;

class Backoff {
 public:
  static constexpr Millis kFirst{100}, kLongest{30'000}, kHealthy{60'000};

  // The wait after a process that ran from `started` to `ended`.
  Millis after(Mono started, Mono ended);

 private:
  Millis next_ = kFirst;
};

}  // namespace holdfast::master
