#include "master/children.h"

#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/announce.h"
#include "common/base/log.h"
#include "common/daemon/life_line.h"
#include "master/spawn.h"

namespace holdfast::master {
namespace {

struct Pair {
  base::UniqueFd ours, theirs;
};

base::Result<Pair> make_ready_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return base::fail_errno("pipe", errno);
  return Pair{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

base::Result<Pair> make_life_line() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return base::fail_errno("socketpair", errno);
  return Pair{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

std::string end_text(int status) {
  if (WIFSIGNALED(status)) {
    return fmt::format("signal {} ({}){}", WTERMSIG(status), ::strsignal(WTERMSIG(status)),
                       WCOREDUMP(status) ? ", core dumped" : "");
  }
  const int code = WEXITSTATUS(status);
  if (code == base::exit_code(base::Kind::kConfig)) return fmt::format("exit {}, its configuration is wrong", code);
  return fmt::format("exit {}", code);
}

}  // namespace

std::string death_text(const std::string& label, pid_t pid, int status, bool unasked, Millis restart_in) {
  std::string out = fmt::format("{} (pid {}) {}: {}", label, pid, unasked ? "died" : "ended", end_text(status));
  if (restart_in.count() > 0) out += fmt::format("; starting it again in {} ms", restart_in.count());
  return out;
}

Children::Children(net::Loop& loop, const std::vector<Role>& roles, Planner planner, Events events)
    : loop_(loop),
      supervisor_(roles, loop.now(), base::wall_now()),
      planner_(std::move(planner)),
      events_(std::move(events)),
      timer_(loop, [this] { act(); }),
      child_signal_(loop, SIGCHLD, [this] { reap(); }) {}

void Children::change(const std::function<void(Supervisor&)>& how) {
  how(supervisor_);
  act();
}

void Children::act() {
  const Actions actions = supervisor_.tick(loop_.now());
  for (const std::size_t index : actions.starts) start(index);
  for (const Signal& signal : actions.signals) {
    if (signal.number == SIGKILL) base::log().warning(fmt::format("pid {} does not end: killing it", signal.pid));
    ::kill(signal.pid, signal.number);
  }
  if (!was_ready_ && supervisor_.all_ready()) {
    was_ready_ = true;
    events_.all_ready();
  }
  if (!was_gone_ && supervisor_.stopping() && supervisor_.all_gone()) {
    was_gone_ = true;
    events_.all_gone();
  }
  if (const auto next = supervisor_.next()) {
    const auto wait = std::chrono::ceil<Millis>(*next - loop_.now());
    timer_.start(std::max(wait, Millis{1}));
  } else {
    timer_.stop();
  }
}

void Children::start(std::size_t index) {
  const Child& child = supervisor_.children()[index];
  const auto pid = launch(child);
  const auto now = loop_.now();
  if (pid) {
    base::log().notice(fmt::format("started {} (pid {})", child.label(), *pid));
    supervisor_.started(index, *pid, now, base::wall_now());
  } else {
    base::log().error(fmt::format("cannot start {}: {}", child.label(), pid.error().text));
    supervisor_.not_started(index, now, base::wall_now());
  }
}

base::Result<pid_t> Children::launch(const Child& child) {
  auto plan = planner_(child);
  if (!plan) return std::unexpected(plan.error());
  auto ready = make_ready_pipe();
  if (!ready) return std::unexpected(ready.error());
  auto life = make_life_line();
  if (!life) return std::unexpected(life.error());
  for (const auto& [option, fd] : {std::pair{"--ready-fd", ready->theirs.get()}, std::pair{"--life-fd", life->theirs.get()}}) {
    plan->arguments.insert(plan->arguments.end(), {option, std::to_string(fd)});
    plan->inherited.push_back(fd);
  }
  auto pid = spawn(plan->program, plan->arguments, plan->inherited, plan->identity ? &*plan->identity : nullptr);
  if (pid) tie(*pid, std::move(life->ours), std::move(ready->ours));
  return pid;
}

void Children::tie(pid_t pid, base::UniqueFd life, base::UniqueFd ready) {
  Ties& ties = ties_[pid];
  ties.life = std::move(life);
  ties.ready = std::move(ready);
  ties.ready_watch = std::make_unique<net::Watch>(loop_, ties.ready.get(), net::Watch::For::kRead,
                                                  [this, pid] { on_ready_pipe(pid); });
  ties.ready_watch->on();
}

void Children::send_listeners(std::string_view name, const std::vector<int>& fds) {
  for (const auto& child : supervisor_.children()) {
    if (child.name != name || child.pid == 0) continue;
    if (auto sent = daemon::send_listeners(ties_[child.pid].life.get(), fds); !sent) {
      base::log().error(fmt::format("{} was not told of the new listeners: {}", child.label(), sent.error().text));
    }
  }
}

void Children::send_files(const std::function<int(std::string_view)>& bag_of) {
  for (const auto& child : supervisor_.children()) {
    const int bag = bag_of(child.name);
    if (bag < 0 || child.pid == 0) continue;
    if (auto sent = daemon::send_files(ties_[child.pid].life.get(), bag); !sent) {
      base::log().error(fmt::format("{} was not given the certificates as they are now: {}", child.label(), sent.error().text));
    }
  }
}

// A line: it is ready. The end without one: it is ending, and SIGCHLD will say how.
void Children::on_ready_pipe(pid_t pid) {
  Ties& ties = ties_[pid];
  char line[16];
  const ssize_t n = ::read(ties.ready.get(), line, sizeof line);
  ties.ready_watch.reset();
  ties.ready.reset();
  if (n <= 0) return;
  supervisor_.ready(pid, base::wall_now());
  base::log().debug(fmt::format("pid {} is ready", pid));
  act();
}

void Children::reap() {
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG)) on_exit(pid, status);
  act();
}

void Children::on_exit(pid_t pid, int status) {
  ties_.erase(pid);
  const auto death = supervisor_.exited(pid, loop_.now(), base::wall_now());
  if (death.child == nullptr) return;
  if (events_.gone) events_.gone(*death.child);
  const std::string text = death_text(death.child->label(), pid, status, death.unasked, death.restart_in);
  const bool unasked = death.unasked && !supervisor_.stopping();
  unasked ? base::log().error(text) : base::log().notice(text);
  if (unasked) base::announce(base::Level::kNotice, "daemon_died", {{"daemon", death.child->label()}, {"how", text}});
}

}  // namespace holdfast::master
