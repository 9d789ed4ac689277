#include "prober/probe_schedule.h"

#include <algorithm>

namespace holdfast::prober {

void ProbeSchedule::set_interval(base::Millis interval) {
  if (begun_ && !running_) due_ = std::min(due_, start_ + interval);
  interval_ = interval;
}

void ProbeSchedule::started(base::Mono now) {
  start_ = now;
  begun_ = running_ = true;
  hastened_ = forced_ = false;
}

void ProbeSchedule::ended(base::Mono now, bool urgent) {
  running_ = false;
  due_ = std::max(now, start_ + (urgent || hastened_ ? gap() : interval_));
  if (forced_) due_ = now;
}

void ProbeSchedule::hasten() {
  if (running_) {
    hastened_ = true;
  } else if (begun_) {
    due_ = std::min(due_, start_ + gap());
  }
}

void ProbeSchedule::force(base::Mono now) {
  if (running_) {
    forced_ = true;
  } else {
    due_ = now;
  }
}

void ProbeSchedule::put_off(base::Mono at) { due_ = std::max(due_, at); }

}  // namespace holdfast::prober
