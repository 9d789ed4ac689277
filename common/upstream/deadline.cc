#include "common/upstream/deadline.h"

#include <utility>

namespace holdfast::upstream {

Deadline::Deadline(net::Loop& loop, std::function<void()> passed)
    : loop_(loop), passed_(std::move(passed)), timer_(loop, [this] { fired(); }) {}

void Deadline::in(base::Millis wait) {
  at_ = loop_.now() + wait;
  if (!timer_.waiting() || *at_ < armed_) arm(wait);
}

void Deadline::arm(base::Millis wait) {
  armed_ = loop_.now() + wait;
  timer_.start(wait);
}

void Deadline::fired() {
  if (!at_) return;
  const auto left = std::chrono::ceil<base::Millis>(*at_ - loop_.now());
  if (left > base::Millis{0}) {
    arm(left);
    return;
  }
  at_.reset();
  const auto passed = passed_;  // may be destroyed by what it does
  passed();
}

}  // namespace holdfast::upstream
