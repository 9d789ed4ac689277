// A pool whose servers are found anew for each connection: it passes on to the one that was found.
#include <algorithm>
#include <utility>

#include "common/upstream/pool_impl.h"

namespace holdfast::upstream {

void Pool::Impl::ask_for_servers(const WaitingPtr& w) {
  loop.later([weak = weak_from_this(), w] {
    const auto self = weak.lock();
    if (!self || !w->done) return;
    self->find([weak, w](std::expected<std::shared_ptr<Pool>, AcquireFailure> result) {
      if (const auto impl = weak.lock(); impl && w->done) impl->on_found(w, std::move(result));
    });
  });
}

void Pool::Impl::on_found(const WaitingPtr& w, std::expected<std::shared_ptr<Pool>, AcquireFailure> result) {
  if (!result) {
    const Done done = std::exchange(w->done, nullptr);
    done(std::unexpected(std::move(result.error())));
    return;
  }
  current = std::move(*result);
  w->asked = current;
  Wish wish = w->wish;
  wish.deadline = std::max(Millis{1}, std::chrono::duration_cast<Millis>(w->deadline - loop.now()));
  w->inner = current->acquire(std::move(wish), [w](AcquireResult acquired) {
    const Done done = std::exchange(w->done, nullptr);
    const auto asked = std::exchange(w->asked, nullptr);  // it is still on the stack
    if (done) done(std::move(acquired));
  });
}

}  // namespace holdfast::upstream
