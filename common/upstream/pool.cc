#include "common/upstream/pool_impl.h"

#include <algorithm>
#include <utility>

#include "common/base/panic.h"

namespace holdfast::upstream {

Pool::Impl::WaitingPtr Pool::Impl::enqueue(Wish wish, Done done) {
  auto w = std::make_shared<Waiting>();
  w->deadline = loop.now() + wish.deadline;
  w->tried = book.marked(wish.avoid);
  w->wish = std::move(wish);
  w->done = std::move(done);
  if (find) {
    ask_for_servers(w);
    return w;
  }
  queue.push_back(w);
  pump_soon();
  return w;
}

void Pool::Impl::pump_soon() {
  if (pump_waits || closed) return;
  pump_waits = true;
  loop.later([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->pump();
  });
}

void Pool::Impl::pump() {
  const auto self = shared_from_this();
  pump_waits = false;
  while (!closed && !queue.empty()) {
    const WaitingPtr w = queue.front();
    if (w->done && !serve(w)) {
      watch_deadlines();
      break;
    }
    if (!closed && !queue.empty() && queue.front() == w) queue.pop_front();
  }
}

bool Pool::Impl::serve(const WaitingPtr& w) {
  if (book.breaker_open(loop.now())) {
    AcquireFailure failure = last_failure;
    failure.why = AcquireFailure::Why::kBreaker;
    finish(w, std::unexpected(std::move(failure)));
    return true;
  }
  const auto server = book.pick(loop.now(), callbacks.usable, w->tried);
  if (!server) {
    all_failed(w);
    return true;
  }
  if (!w->wish.fresh && give_idle(w, *server)) return true;
  if (connections() >= options.limit && !close_an_idle()) return false;
  w->queued = false;
  try_server(w, *server);
  return true;
}

void Pool::Impl::finish(const WaitingPtr& w, AcquireResult result) {
  w->timer.reset();
  w->queued = false;
  const Done done = std::exchange(w->done, nullptr);
  if (done) done(std::move(result));
  pump_soon();
}

void Pool::Impl::fail(const WaitingPtr& w, AcquireFailure::Why why) {
  AcquireFailure failure = w->last;
  failure.why = why;
  finish(w, std::unexpected(std::move(failure)));
}

Pool::Pool(net::Loop& loop, net::Resolver& resolver, PoolOptions options, PoolCallbacks callbacks)
    : impl_(std::make_shared<Impl>(loop, resolver, std::move(options), std::move(callbacks))) {
  base::expect(impl_->book.size() > 0, "a destination without servers");
}

Pool::Pool(net::Loop& loop, net::Resolver& resolver, Find find, PoolOptions options)
    : impl_(std::make_shared<Impl>(loop, resolver, std::move(options), PoolCallbacks{})) {
  impl_->find = std::move(find);
}

Pool::~Pool() { impl_->close(); }

Pool::Waiter Pool::acquire(Wish wish, Done done) { return Waiter(impl_->enqueue(std::move(wish), std::move(done))); }

void Pool::set_limit(int limit) {
  impl_->options.limit = limit;
  if (impl_->current) impl_->current->set_limit(limit);
  while (impl_->connections() > limit && impl_->close_an_idle()) {
  }
  impl_->pump_soon();
}

void Pool::forgive() {
  impl_->book.forgive();
  if (impl_->current) impl_->current->forgive();
  impl_->pump_soon();
}

int Pool::connections() const { return impl_->current ? impl_->current->connections() : impl_->connections(); }
int Pool::idle() const {
  if (impl_->current) return impl_->current->idle();
  return static_cast<int>(
      std::ranges::count(impl_->links, Link::State::kIdle, [](const auto& l) { return l->state(); }));
}
int Pool::waiting() const {
  return static_cast<int>(std::ranges::count_if(impl_->queue, [](const auto& w) { return w->done != nullptr; }));
}
const PoolOptions& Pool::options() const { return impl_->options; }

Pool::Waiter::Waiter(std::shared_ptr<Waiting> waiting) : waiting_(std::move(waiting)) {}

Pool::Waiter& Pool::Waiter::operator=(Waiter&& other) noexcept {
  const Waiter old(std::exchange(waiting_, std::move(other.waiting_)));
  return *this;
}

Pool::Waiter::~Waiter() {
  if (waiting_ == nullptr) return;
  waiting_->done = nullptr;
  waiting_->timer.reset();
  waiting_->inner = {};
}

}  // namespace holdfast::upstream
