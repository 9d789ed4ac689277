// The skeleton that owns the boring half of every daemon (models.md, habit 10): arguments, configuration,
// log, loop, signals, readiness, the master's death.
//
//   int main(int argc, char** argv) {
//     return daemon::run(argc, argv, {.name = "qmgr", .start = qmgr::start});
//   }
//
// Arguments that master gives: --config FILE --worker N --workers N --writer N --ready-fd FD --life-fd FD
// [--board-fd FD] [--files-fd FD] [--stats-fd FD] [--listen-fd FD …]. A line "ready\n" is written to ready-fd once start() has returned and called
// ready(); the end of life-fd (master has died; life_line.h) ends the daemon as SIGTERM does. SIGHUP: log reopened,
// configuration read again and given to reload() if it is good. SIGTERM: drain(), and exit when it calls
// back or after 8 s.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/config/config.h"
#include "common/ipc/messages.h"
#include "common/net/loop.h"

namespace holdfast::daemon {

// What a daemon's own code gets to work with.
struct Context {
  net::Loop& loop;
  config::ConfigPtr config;
  std::uint32_t worker = 0;      // 0 … workers - 1
  std::uint32_t workers = 1;
  std::uint32_t writer = 0;      // the writer number of this start (design.md section 4)
  std::vector<base::UniqueFd> listeners;
  int board_fd = -1;             // smtpd's (board.h); -1: master gave none
  std::string name;

  ipc::Hello hello() const;      // this process's
  std::string socket(std::string_view daemon) const;  // run folder's path of a daemon's socket
};

// A running daemon: owned by the skeleton, destroyed after the loop has ended.
class Service {
 public:
  virtual ~Service() = default;
  // A new configuration that has passed all checks.
  virtual void reload(config::ConfigPtr) {}
  // All the listening sockets from now on, non-blocking; those that were there before are among them, if they
  // stay, as other descriptors of the same sockets.
  virtual void listen(std::vector<base::UniqueFd>) {}
  // Finish what is under way, take nothing new, then call done (once).
  virtual void drain(std::function<void()> done) { done(); }
};

struct Spec {
  std::string name;
  // Opens what the daemon needs. An error ends the process with its exit code; master tries again.
  std::function<base::Result<std::unique_ptr<Service>>(Context&)> start;
};

int run(int argc, char** argv, const Spec& spec);

}  // namespace holdfast::daemon
