#include "master/backoff.h"

#include <algorithm>
#include <utility>

namespace holdfast::master {

Millis Backoff::after(Mono started, Mono ended) {
  if (ended - started >= kHealthy) next_ = kFirst;
  return std::exchange(next_, std::min(next_ * 2, kLongest));
}

}  // namespace holdfast::master
