#include "master/supervisor.h"

#include <algorithm>
#include <csignal>

#include <fmt/core.h>

namespace holdfast::master {
namespace {

constexpr int kStages = 2;

void enter(Child& child, ChildState state, base::Wall wall) {
  child.state = state;
  child.since = wall;
}

// What is true of a process that does not exist any more.
void forget_process(Child& child) {
  child.pid = 0;
  child.hangup = child.terminate = child.again = false;
  child.kill_at = {};
}

}  // namespace

std::string_view to_text(ChildState s) {
  switch (s) {
    case ChildState::kWaiting: return "restarting";
    case ChildState::kStarting: return "starting";
    case ChildState::kRunning: return "running";
    case ChildState::kStopping: return "stopping";
    case ChildState::kStopped: return "stopped";
  }
  return "";
}

std::string Child::label() const { return workers == 1 ? name : fmt::format("{} {}", name, worker); }

Supervisor::Supervisor(const std::vector<Role>& roles, Mono now, base::Wall wall) {
  for (const auto& role : roles) {
    for (std::uint32_t worker = 0; worker < role.workers; ++worker) {
      Child child;
      child.name = role.name;
      child.worker = worker;
      child.workers = role.workers;
      child.end_stage = role.end_stage;
      child.due = now;
      child.since = wall;
      children_.push_back(std::move(child));
    }
  }
}

Actions Supervisor::tick(Mono now) {
  Actions out;
  if (stop_at_) advance_stop(now);
  for (std::size_t i = 0; i < children_.size(); ++i) tick_child(children_[i], i, now, out);
  kill_ = false;
  // The end's order: those who speak with the world first.
  if (stop_at_) std::ranges::reverse(out.signals);
  return out;
}

void Supervisor::tick_child(Child& child, std::size_t index, Mono now, Actions& out) {
  if (child.state == ChildState::kWaiting && !stop_at_ && now >= child.due) out.starts.push_back(index);
  if (child.pid == 0) return;
  if (child.hangup && child.state == ChildState::kRunning) {
    child.hangup = false;
    out.signals.push_back({child.pid, SIGHUP});
  }
  if (child.terminate) {
    child.terminate = false;
    child.state = ChildState::kStopping;
    child.kill_at = stop_at_ ? *stop_at_ + kKillAfter : now + kKillAfter;
    out.signals.push_back({child.pid, SIGTERM});
  }
  const bool overdue = child.state == ChildState::kStopping && child.kill_at != Mono{} && now >= child.kill_at;
  if (kill_ || overdue) {
    child.kill_at = {};
    out.signals.push_back({child.pid, SIGKILL});
  }
}

void Supervisor::advance_stop(Mono now) {
  while (stop_stage_ + 1 < kStages) {
    if (stop_stage_ >= 0 && !stage_gone(stop_stage_) && now < *stop_at_ + kStageLimit) return;
    ++stop_stage_;
    for (auto& child : children_) {
      if (child.end_stage != stop_stage_) continue;
      if (child.pid == 0) {
        child.state = ChildState::kStopped;
      } else if (child.state != ChildState::kStopping) {
        child.terminate = true;
      } else {
        child.kill_at = *stop_at_ + kKillAfter;  // was being restarted
      }
      child.again = false;
    }
  }
}

bool Supervisor::stage_gone(int stage) const {
  return std::ranges::none_of(children_, [&](const Child& c) {
    return c.end_stage <= stage && c.pid != 0;
  });
}

std::optional<Mono> Supervisor::next() const {
  std::optional<Mono> out;
  const auto consider = [&](Mono t) {
    if (t != Mono{} && (!out || t < *out)) out = t;
  };
  for (const auto& child : children_) {
    if (child.state == ChildState::kWaiting && !stop_at_) consider(child.due);
    if (child.state == ChildState::kStopping) consider(child.kill_at);
  }
  if (stop_at_ && stop_stage_ + 1 < kStages) consider(*stop_at_ + kStageLimit);
  return out;
}

Child* Supervisor::find(pid_t pid) {
  const auto found = std::ranges::find(children_, pid, &Child::pid);
  return found == children_.end() || pid == 0 ? nullptr : &*found;
}

void Supervisor::started(std::size_t index, pid_t pid, Mono now, base::Wall wall) {
  Child& child = children_[index];
  child.pid = pid;
  child.started = now;
  enter(child, ChildState::kStarting, wall);
}

void Supervisor::not_started(std::size_t index, Mono now, base::Wall wall) {
  Child& child = children_[index];
  child.started = now;
  schedule(child, now, wall);
}

void Supervisor::ready(pid_t pid, base::Wall wall) {
  Child* child = find(pid);
  if (child != nullptr && child->state == ChildState::kStarting) enter(*child, ChildState::kRunning, wall);
}

void Supervisor::schedule(Child& child, Mono now, base::Wall wall) {
  if (stop_at_) return enter(child, ChildState::kStopped, wall);
  child.due = now + child.backoff.after(child.started, now);
  ++child.restarts;
  enter(child, ChildState::kWaiting, wall);
}

Supervisor::Death Supervisor::exited(pid_t pid, Mono now, base::Wall wall) {
  if (pid == 0) return {};
  Child* child = find(pid);
  if (child == nullptr) return {};
  const bool unasked = child->state != ChildState::kStopping;
  const bool again = child->again;
  forget_process(*child);
  if (again && !stop_at_) {
    child->due = now;
    enter(*child, ChildState::kWaiting, wall);
    return {child, false, Millis{0}};
  }
  schedule(*child, now, wall);
  const auto wait = std::chrono::duration_cast<Millis>(child->due - now);
  return {child, unasked, child->state == ChildState::kWaiting ? wait : Millis{0}};
}

void Supervisor::hangup() {
  for (auto& child : children_) child.hangup = child.pid != 0 && child.state != ChildState::kStopping;
}

bool Supervisor::restart(std::string_view name) {
  bool found = false;
  for (auto& child : children_) {
    if (child.name != name) continue;
    found = true;
    if (child.pid == 0) {
      child.due = {};
    } else if (child.state != ChildState::kStopping) {
      child.terminate = child.again = true;
    }
  }
  return found;
}

void Supervisor::stop(Mono now) {
  if (!stop_at_) stop_at_ = now;
}

void Supervisor::kill_all() { kill_ = true; }

bool Supervisor::all_ready() const {
  return std::ranges::all_of(children_, [](const Child& c) { return c.state == ChildState::kRunning; });
}

bool Supervisor::all_gone() const {
  return std::ranges::none_of(children_, [](const Child& c) { return c.pid != 0; });
}

}  // namespace holdfast::master
