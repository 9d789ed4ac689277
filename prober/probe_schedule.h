// When a server is probed next (design.md section 3, Detection). Pure: no clock.
#pragma once

#include "common/base/time.h"

namespace holdfast::prober {

// Between the beginnings of two probes when one is urgent; the interval, where that is shorter.
inline constexpr base::Millis kUrgentGap{5000};

class ProbeSchedule {
 public:
  ProbeSchedule(base::Millis interval, base::Mono first) : interval_(interval), due_(first) {}

  void set_interval(base::Millis interval);  // a shorter one counts from the last probe on

  void started(base::Mono now);
  // `urgent`: the server is between two states, or there is more to ask it.
  void ended(base::Mono now, bool urgent);
  // Somebody wants to know: as soon as the last probe is an urgent gap old.
  void hasten();
  // At once (the admin asks), or right after the probe that runs.
  void force(base::Mono now);
  // Not before `at` (a drain has just failed).
  void put_off(base::Mono at);

  bool running() const { return running_; }
  bool due(base::Mono now) const { return !running_ && now >= due_; }
  base::Mono next() const { return due_; }
  base::Millis gap() const { return interval_ < kUrgentGap ? interval_ : kUrgentGap; }

 private:
  base::Millis interval_;
  base::Mono due_;
  base::Mono start_{};
  bool begun_ = false;  // once at least
  bool running_ = false;
  bool hastened_ = false, forced_ = false;  // asked for while one ran
};

}  // namespace holdfast::prober
