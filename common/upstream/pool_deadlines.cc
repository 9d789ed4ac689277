#include "common/upstream/pool_impl.h"

#include <algorithm>

#include <fmt/format.h>

namespace holdfast::upstream {
namespace {

// The deadline itself is kept by the connection's own time-outs; this is for what they do not cover.
constexpr Millis kGrace{100};

}  // namespace

void Pool::Impl::watch_deadlines() {
  for (auto at = queue.rbegin(); at != queue.rend(); ++at) {
    if ((*at)->timer) break;
    if ((*at)->done) watch_deadline(*at);
  }
}

void Pool::Impl::watch_deadline(const WaitingPtr& w) {
  if (w->timer) return;
  w->timer = std::make_unique<net::Timer>(loop, [weak_self = weak_from_this(), weak = std::weak_ptr(w)] {
    const auto self = weak_self.lock();
    const WaitingPtr late = weak.lock();
    if (self && late) self->on_deadline(late);
  });
  const auto left = std::chrono::ceil<Millis>(w->deadline - loop.now());
  w->timer->start(std::max(left, Millis{0}) + kGrace);
}

void Pool::Impl::on_deadline(const WaitingPtr& w) {
  if (!w->done) return;
  if (w->queued) {
    std::erase(queue, w);
    w->last = {.stage = Stage::kLocal,
               .reason = fmt::format("all {} connections are in use", options.limit),
               .relay = "none"};
    fail(w, AcquireFailure::Why::kBusy);
  } else {
    if (w->last.reason.empty()) w->last = {.reason = "connect: timed out", .relay = "none"};
    fail(w, AcquireFailure::Why::kTimeout);
  }
}

}  // namespace holdfast::upstream
