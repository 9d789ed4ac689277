// What runs, what should run, and what to do about the difference. Pure: events come in, time comes in,
// tick() says which processes to start and which signals to send. The adapter in master.cc does it.
//
// A daemon that dies never takes another with it. Order of the start: that of the roles. Order of the end:
// by stage, a stage is told to end when the one before it is gone, or after 6 s; whoever is still there
// after 9 s is killed, so that everything is gone within 10 s.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "common/base/time.h"
#include "master/backoff.h"

namespace holdfast::master {

// A kind of daemon.
struct Role {
  std::string name;
  std::uint32_t workers = 1;
  int end_stage = 0;       // 0 is told to end first
};

enum class ChildState {
  kWaiting,   // not running; starts when its time has come
  kStarting,  // runs, has not said that it is ready
  kRunning,
  kStopping,  // told to end
  kStopped,   // ended, and nobody wants it any more
};
std::string_view to_text(ChildState s);

// One process that should exist.
struct Child {
  std::string name;
  std::uint32_t worker = 0, workers = 1;
  int end_stage = 0;
  ChildState state = ChildState::kWaiting;
  pid_t pid = 0;                  // 0: none
  std::uint64_t restarts = 0;     // after deaths nobody asked for
  base::Wall since{};             // in this state

  Mono due{}, started{}, kill_at{};
  Backoff backoff;
  bool hangup = false;            // SIGHUP to be sent as soon as it is ready
  bool terminate = false;         // SIGTERM to be sent
  bool again = false;             // told to end only to be started anew

  std::string label() const;      // "smtpd 1", "qmgr"
};

struct Signal {
  pid_t pid = 0;
  int number = 0;
  bool operator==(const Signal&) const = default;
};

struct Actions {
  std::vector<std::size_t> starts;  // indexes of children()
  std::vector<Signal> signals;      // to be sent in this order
};

class Supervisor {
 public:
  static constexpr Millis kStageLimit{6'000}, kKillAfter{9'000};

  Supervisor(const std::vector<Role>& roles, Mono now, base::Wall wall);

  const std::vector<Child>& children() const { return children_; }

  // To be called after every event, and at next(). Each action is told once.
  Actions tick(Mono now);
  std::optional<Mono> next() const;

  // What came of a start that tick() asked for.
  void started(std::size_t child, pid_t pid, Mono now, base::Wall wall);
  void not_started(std::size_t child, Mono now, base::Wall wall);

  void ready(pid_t pid, base::Wall wall);

  struct Death {
    const Child* child = nullptr;  // null: no process of ours
    bool unasked = false;
    Millis restart_in{0};          // if it will be started again
  };
  Death exited(pid_t pid, Mono now, base::Wall wall);

  void hangup();                            // all are to read their configuration again
  bool restart(std::string_view name);      // the processes end and are started anew; false: no such daemon
  void stop(Mono now);
  void kill_all();                          // the admin's patience has ended

  bool stopping() const { return stop_at_.has_value(); }
  bool all_ready() const;
  bool all_gone() const;

 private:
  Child* find(pid_t pid);
  void schedule(Child& child, Mono now, base::Wall wall);
  void tick_child(Child& child, std::size_t index, Mono now, Actions& out);
  void advance_stop(Mono now);
  bool stage_gone(int stage) const;

  std::vector<Child> children_;
  std::optional<Mono> stop_at_;
  int stop_stage_ = -1;  // the last stage that was told to end
  bool kill_ = false;
};

}  // namespace holdfast::master
