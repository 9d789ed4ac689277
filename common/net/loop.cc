#include "common/net/loop.h"

#include <cstdlib>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/memory_reserve.h"
#include "common/base/panic.h"

namespace holdfast::net {
namespace {

// libevent crashes on its own failed allocations, or drops what it was asked to watch.
void share_memory_reserve() {
  static const bool once = (event_set_mem_functions(&base::allocate, &base::reallocate, &::free), true);
  (void)once;
}

event_base* make_base() {
  share_memory_reserve();
  // Without EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST: the kernel is told at once that a descriptor is watched no
  // more. A listening socket lives on in other processes when ours is closed, and would be reported for ever.
  event_base* base = event_base_new();
  base::expect(base != nullptr, "no event base");
  return base;
}

timeval to_timeval(Millis wait) {
  const auto ms = wait.count() < 0 ? 0 : wait.count();
  return {static_cast<time_t>(ms / 1000), static_cast<suseconds_t>(ms % 1000 * 1000)};
}

}  // namespace

struct Loop::Impl {
  bool stopping = false;
  std::optional<base::Mono> now;
  std::vector<std::function<void()>> later, turn_end;
  std::vector<std::shared_ptr<Flushable>> flushes;
  std::unordered_map<const Flushable*, std::shared_ptr<Flushable>> kept;

  base::UniqueFd wake{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  event* wake_event = nullptr;
  std::mutex mutex;
  std::vector<std::function<void()>> posted;  // guarded by mutex

  static void woken(int fd, short, void* self) {
    std::uint64_t count;
    (void)!::read(fd, &count, sizeof count);
    auto& impl = *static_cast<Impl*>(self);
    std::vector<std::function<void()>> batch;
    {
      const std::lock_guard lock(impl.mutex);
      batch.swap(impl.posted);
    }
    for (auto& what : batch) what();
  }

  void ring() {
    const std::uint64_t one = 1;
    (void)!::write(wake.get(), &one, sizeof one);
  }

  // What callbacks put off, until nothing is left: each may put off more.
  void settle() {
    while (!later.empty() || !flushes.empty()) {
      std::vector<std::function<void()>> batch;
      batch.swap(later);
      for (auto& what : batch) what();
      std::vector<std::shared_ptr<Flushable>> sends;
      sends.swap(flushes);
      for (auto& send : sends) send->flush_turn();
    }
  }

  void end_turn() {
    settle();
    for (auto& hook : turn_end) hook();
    settle();
    now.reset();
  }
};

Loop::Loop() : base_(make_base()), impl_(std::make_unique<Impl>()) {
  impl_->wake_event = event_new(base_, impl_->wake.get(), EV_READ | EV_PERSIST, &Impl::woken, impl_.get());
  event_add(impl_->wake_event, nullptr);
}

Loop::~Loop() {
  impl_->settle();
  impl_->kept.clear();
  event_free(impl_->wake_event);
  impl_.reset();
  event_base_free(base_);
}

void Loop::run() {
  impl_->end_turn();
  while (!impl_->stopping) {
    event_base_loop(base_, EVLOOP_ONCE);
    impl_->end_turn();
  }
  impl_->stopping = false;
}

void Loop::stop() {
  post([this] { impl_->stopping = true; });
}

void Loop::post(std::function<void()> what) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->posted.push_back(std::move(what));
    if (impl_->posted.size() > 1) return;
  }
  impl_->ring();
}

void Loop::later(std::function<void()> what) {
  impl_->later.push_back(std::move(what));
}

void Loop::on_turn_end(std::function<void()> what) { impl_->turn_end.push_back(std::move(what)); }

void Loop::flush_at_turn_end(std::shared_ptr<Flushable> what) { impl_->flushes.push_back(std::move(what)); }

void Loop::keep(std::shared_ptr<Flushable> what) {
  const Flushable* key = what.get();
  impl_->kept.emplace(key, std::move(what));
}

void Loop::let_go(const Flushable* what) { impl_->kept.erase(what); }

base::Mono Loop::now() const {
  if (!impl_->now) impl_->now = base::mono_now();
  return *impl_->now;
}

Timer::Timer(Loop& loop, std::function<void()> fire)
    : fire_(std::move(fire)), event_(event_new(loop.raw(), -1, 0, &Timer::fired, this)) {}

Timer::~Timer() { event_free(event_); }

void Timer::fired(int, short, void* self) {
  auto& timer = *static_cast<Timer*>(self);
  timer.waiting_ = timer.repeat_;
  const auto fire = timer.fire_;  // the callback may destroy the timer
  fire();
}

void Timer::start(Millis after) {
  stop();
  const timeval wait = to_timeval(after);
  event_add(event_, &wait);
  waiting_ = true;
}

void Timer::every(Millis interval) {
  stop();
  event_base* const base = event_get_base(event_);
  event_assign(event_, base, -1, EV_PERSIST, &Timer::fired, this);
  const timeval wait = to_timeval(interval);
  event_add(event_, &wait);
  waiting_ = repeat_ = true;
}

void Timer::stop() {
  event_del(event_);
  if (repeat_) event_assign(event_, event_get_base(event_), -1, 0, &Timer::fired, this);
  waiting_ = repeat_ = false;
}

Watch::Watch(Loop& loop, int fd, For what, std::function<void()> ready)
    : ready_(std::move(ready)),
      event_(event_new(loop.raw(), fd, static_cast<short>((what == For::kRead ? EV_READ : EV_WRITE) | EV_PERSIST),
                       &Watch::fired, this)) {}

Watch::~Watch() { event_free(event_); }

void Watch::fired(int, short, void* self) {
  const auto ready = static_cast<Watch*>(self)->ready_;  // the callback may destroy the watch
  ready();
}

void Watch::on() {
  if (!on_) event_add(event_, nullptr);
  on_ = true;
}

void Watch::off() {
  if (on_) event_del(event_);
  on_ = false;
}

Signal::Signal(Loop& loop, int number, std::function<void()> caught)
    : caught_(std::move(caught)), event_(evsignal_new(loop.raw(), number, &Signal::fired, this)) {
  event_add(event_, nullptr);
}

Signal::~Signal() { event_free(event_); }

void Signal::fired(int, short, void* self) { static_cast<Signal*>(self)->caught_(); }

}  // namespace holdfast::net
