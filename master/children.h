// The supervisor's hands: starts processes, watches them get ready and end, sends signals. Lives on the loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/net/loop.h"
#include "common/sandbox/privileges.h"
#include "master/supervisor.h"

namespace holdfast::master {

class Children {
 public:
  // What to start for a child. --ready-fd and --life-fd are added here.
  struct Plan {
    std::string program;
    std::vector<std::string> arguments;
    std::vector<int> inherited;
    std::optional<sandbox::Identity> identity;  // whom it runs as; none: as master does
  };
  using Planner = std::function<base::Result<Plan>(const Child&)>;

  struct Events {
    std::function<void()> all_ready;  // the first time only
    std::function<void()> all_gone;   // after supervisor().stop()
    std::function<void(const Child&)> gone = {};  // each, however it ended
  };

  Children(net::Loop& loop, const std::vector<Role>& roles, Planner planner, Events events);

  const Supervisor& supervisor() const { return supervisor_; }
  // Changes what should be, then makes it so.
  void change(const std::function<void(Supervisor&)>& how);
  void begin() { act(); }
  // Hands all processes of that name these listening sockets, in place of those they have.
  void send_listeners(std::string_view name, const std::vector<int>& fds);
  // Hands each process the file bag that `bag_of` says for its name; -1: none.
  void send_files(const std::function<int(std::string_view)>& bag_of);

 private:
  // What ties a process to us.
  struct Ties {
    base::UniqueFd life;                       // our end of its life line: with us it ends, too
    base::UniqueFd ready;                      // until it has said that it is
    std::unique_ptr<net::Watch> ready_watch;
  };

  void act();
  void start(std::size_t index);
  base::Result<pid_t> launch(const Child& child);
  void tie(pid_t pid, base::UniqueFd life, base::UniqueFd ready);
  void on_ready_pipe(pid_t pid);
  void reap();
  void on_exit(pid_t pid, int status);

  net::Loop& loop_;
  Supervisor supervisor_;
  Planner planner_;
  Events events_;
  std::map<pid_t, Ties> ties_;
  net::Timer timer_;
  net::Signal child_signal_;
  bool was_ready_ = false, was_gone_ = false;
};

// "smtpd 1 (pid 7) died: signal 9 (Killed); starting it again in 200 ms".
std::string death_text(const std::string& label, pid_t pid, int status, bool unasked, Millis restart_in);

}  // namespace holdfast::master
