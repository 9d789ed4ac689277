#include "webd/desk.h"

#include <csignal>

namespace holdfast::webd {

Desk::Desk(std::size_t threads, std::size_t most_waiting) : most_waiting_(most_waiting) {
  // Signals are the loop's.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Desk::~Desk() {
  {
    const std::lock_guard lock(door_);
    closing_ = true;
    waiting_.clear();
  }
  bell_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool Desk::take(std::function<void()> work) {
  {
    const std::lock_guard lock(door_);
    if (closing_ || waiting_.size() >= most_waiting_) return false;
    waiting_.push_back(std::move(work));
  }
  bell_.notify_one();
  return true;
}

void Desk::run() {
  for (;;) {
    std::unique_lock lock(door_);
    bell_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (closing_) return;
    const auto work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
  }
}

}  // namespace holdfast::webd
