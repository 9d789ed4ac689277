// What may be spent on one message. Time comes from outside.
#pragma once

#include <cstdint>
#include <functional>

#include "filter/policy.h"

namespace holdfast::filter {

class Budget {
 public:
  // `late` says whether the time for this message is over; it is asked often.
  Budget(const Limits& limits, std::function<bool()> late) : entries_(limits.entries), bytes_(limits.bytes), late_(std::move(late)) {}

  // False once there is nothing left; it stays so.
  bool entry() { return spend(entries_ > 0 && entries_-- > 0); }
  bool bytes(std::uint64_t count) {
    const bool enough = count <= bytes_;
    if (enough) bytes_ -= count;
    return spend(enough);
  }
  bool time() { return spend(true); }
  bool spent() const { return spent_; }

 private:
  bool spend(bool enough) {
    if (!enough || late_()) spent_ = true;
    return !spent_;
  }

  int entries_;
  std::uint64_t bytes_;
  std::function<bool()> late_;
  bool spent_ = false;
};

}  // namespace holdfast::filter
