// The event loop of a process: one thread, libevent underneath. Nothing but common/net sees libevent.
// All classes here belong to the loop's thread; only Loop::post() and Loop::stop() may be called from
// another thread.
#pragma once

#include <functional>
#include <memory>

#include "common/base/time.h"

struct event;
struct event_base;

namespace holdfast::net {

using base::Millis;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop()
  void stop();
  // Runs `what` on the loop's thread, soon; from any thread.
  void post(std::function<void()> what);
  // Runs `what` when the present callbacks have returned: the place to destroy what is still on the stack.
  void later(std::function<void()> what);
  // Keeps `what` until the present callback has returned, then destroys it.
  template <class T>
  void bury(std::unique_ptr<T> what) {
    if (what) later([grave = std::shared_ptr<T>(std::move(what))] {});
  }
  // Called once after each turn of the loop, before it sleeps: flushing logs, sending batches.
  void on_turn_end(std::function<void()> what);
  // The time at the start of this turn; cheap.
  base::Mono now() const;

  event_base* raw() { return base_; }

  // For Stream: something to be sent in one go at the end of this turn.
  class Flushable {
   public:
    virtual ~Flushable() = default;
    virtual void flush_turn() = 0;
  };
  void flush_at_turn_end(std::shared_ptr<Flushable> what);
  // Likewise, what outlives its owner until it has ended by itself: the loop holds it until then, or until its own end.
  void keep(std::shared_ptr<Flushable> what);
  void let_go(const Flushable* what);

 private:
  struct Impl;
  event_base* base_;
  std::unique_ptr<Impl> impl_;
};

// Calls back once, or every time, after a wait. Destroying it cancels it; it may be destroyed or started
// again from its own callback.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void start(Millis after);        // once; replaces a wait that is under way
  void every(Millis interval);
  void stop();
  bool waiting() const { return waiting_; }

 private:
  static void fired(int, short, void* self);

  std::function<void()> fire_;
  event* event_;
  bool waiting_ = false, repeat_ = false;
};

// Readiness of a descriptor that somebody else owns.
class Watch {
 public:
  enum class For { kRead, kWrite };
  Watch(Loop& loop, int fd, For what, std::function<void()> ready);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void on();
  void off();

 private:
  static void fired(int, short, void* self);

  std::function<void()> ready_;
  event* event_;
  bool on_ = false;
};

// A signal, delivered on the loop.
class Signal {
 public:
  Signal(Loop& loop, int number, std::function<void()> caught);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  static void fired(int, short, void* self);

  std::function<void()> caught_;
  event* event_;
};

}  // namespace holdfast::net
