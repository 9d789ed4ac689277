// Whether a worker is so full that it waits for nobody for long. Pure.
#pragma once

#include <cstddef>

namespace holdfast::smtpd {

class Stress {
 public:
  // With `clients` of at most `most`: on from `percent` of these on, off again below nine tenths of that. True when it
  // has changed.
  bool update(std::size_t clients, std::size_t most, int percent) {
    const std::size_t now = clients * 1000, limit = most * static_cast<std::size_t>(percent) * 10;
    const bool was = on_;
    on_ = on_ ? now >= limit / 10 * 9 : now >= limit;
    return on_ != was;
  }
  bool on() const { return on_; }

 private:
  bool on_ = false;
};

}  // namespace holdfast::smtpd
