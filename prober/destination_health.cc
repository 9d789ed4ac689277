#include "prober/destination_health.h"

#include <algorithm>

namespace holdfast::prober {
namespace {

// More servers than this are not named one by one in a reason.
constexpr std::size_t kNamedServers = 4;

constexpr std::string_view kForcedUp = "forced up by ", kForcedDown = "forced down by ";

bool is_outage(DestinationState state) {
  return state == DestinationState::kDown || state == DestinationState::kPaused;
}

}  // namespace

bool counts_as_failure(const ipc::Fact& fact) {
  if (fact.ok || fact.reused || fact.code == 421) return false;
  switch (fact.stage) {
    case mail::Stage::kConnect:
    case mail::Stage::kBanner:
    case mail::Stage::kEhlo:
    case mail::Stage::kStartTls:
    case mail::Stage::kAuth: return true;
    case mail::Stage::kMail: return fact.code == 0;
    default: return false;
  }
}

DestinationHealth::DestinationHealth(Settings settings, Now now) : since_(now.wall) { configure(settings, now); }

void DestinationHealth::configure(const Settings& settings, Now now) {
  std::vector<ServerHealth> servers;
  for (const std::string& name : settings.servers) {
    if (const ServerHealth* known = server(name)) {
      servers.push_back(*known);
      servers.back().set_rules(settings.rules);
    } else {
      servers.emplace_back(name, settings.rules, now.wall);
      // A server that is new to a destination that is down has to show itself first.
      if (state_ == DestinationState::kDown) servers.back().restore(false, reason_, now.wall);
    }
  }
  servers_ = std::move(servers);
  settings_ = settings;
}

void DestinationHealth::restore(const Memory& memory, Now now) {
  state_ = memory.state;
  reason_ = memory.reason;
  since_ = memory.since;
  downtime_ = memory.downtime;
  down_since_ = memory.down_since;
  if (is_outage(state_) && !down_since_) down_since_ = since_;
  if (state_ == DestinationState::kPaused) pause_ = Pause{memory.reason, memory.paused_by, memory.paused_until};
  if (state_ == DestinationState::kDraining) brake_ = memory.reason;
  if (state_ == DestinationState::kUp && reason_.starts_with(kForcedUp)) force_ = Force{true, reason_};
  if (state_ == DestinationState::kDown && reason_.starts_with(kForcedDown)) force_ = Force{false, reason_};
  bool any_up = false;
  for (ServerHealth& server : servers_) {
    const auto row = std::ranges::find(memory.servers, server.name(), &Memory::Server::name);
    if (row != memory.servers.end()) {
      server.restore(row->up, row->reason, row->since);
    } else if (state_ == DestinationState::kDown) {
      server.restore(false, memory.reason, now.wall);
    }
    any_up = any_up || server.up();
  }
  // Down though a server is up: a drain had failed. The first probe that passes may begin another.
  if (state_ == DestinationState::kDown && any_up && !force_)
    drain_failed_ = DrainFailure{.reason = reason_, .at = now.mono, .held = false};
}

DestinationHealth::Memory DestinationHealth::memory() const {
  Memory memory{.state = state_, .reason = reason_, .since = since_, .downtime = downtime_, .down_since = down_since_};
  if (pause_) {
    memory.paused_by = pause_->by;
    memory.paused_until = pause_->until;
  }
  for (const ServerHealth& server : servers_) {
    // Whoever connects asks for a server that is up, whatever the destination's state is.
    const bool up = server.up() || (state_ == DestinationState::kUp && force_ && force_->up);
    memory.servers.push_back({server.name(), up, server.reason(), server.since()});
  }
  return memory;
}

void DestinationHealth::set_addresses(std::string_view server, const std::vector<std::string>& addresses, Now now) {
  if (ServerHealth* found = find(server)) found->set_addresses(addresses, now.wall);
}

// The next drain goes on showing why the last one failed, until it is over or qmgr says more.
void DestinationHealth::end_drain_failure() {
  constexpr std::string_view kAgain = "trying again after: ";
  const std::string& reason = drain_failed_->reason;
  brake_ = reason.starts_with(kAgain) ? reason : std::string(kAgain) + reason;
  drain_failed_.reset();
}

void DestinationHealth::record_probe(std::string_view server, std::string_view address, const Evidence& evidence,
                                     Now now) {
  ServerHealth* found = find(server);
  if (found == nullptr) return;
  found->record(address, evidence, now);
  if (evidence.ok && found->up() && drain_failed_ &&
      (!drain_failed_->held || now.mono - drain_failed_->at >= settings_.interval)) {
    end_drain_failure();
  }
}

void DestinationHealth::record_unresolved(std::string_view server, const std::string& reason, Now now) {
  if (ServerHealth* found = find(server)) found->record_unresolved(reason, now);
}

void DestinationHealth::set_refuses_known(std::string_view server, bool refuses, Now now) {
  if (ServerHealth* found = find(server)) found->set_refuses_known(refuses, now.wall);
}

bool DestinationHealth::record_fact(const ipc::Fact& fact, Now now) {
  ServerHealth* found = find(fact.server);
  if (found == nullptr) return false;
  const bool news = found->address_up(fact.address);
  // A drain that makes no headway says why, even where no probe would fail.
  if (state_ == DestinationState::kDraining && !fact.reused && news) trouble_ = fact.ok ? "" : fact.reason;
  if (fact.ok) {
    const mail::Stage reached = fact.stage == mail::Stage::kNone ? mail::Stage::kMail : fact.stage;
    found->record(fact.address, {.ok = true, .stage = reached}, now);
    return !found->up();  // it works for live mail: a probe shall say so
  }
  if (counts_as_failure(fact)) found->record(fact.address, {.stage = fact.stage, .reason = fact.reason}, now);
  return news;  // an address that is down already, of a server that is up by another, is no reason to look
}

bool DestinationHealth::record_drain(const ipc::DrainReport& report, Now now) {
  const bool about_brake = report.event == ipc::DrainEvent::kBrake || report.event == ipc::DrainEvent::kCanaryAccepted;
  const bool fits = state_ == DestinationState::kDraining || (state_ == DestinationState::kUp && about_brake);
  if (!fits || report.since_ms != base::to_millis(since_)) return false;
  switch (report.event) {
    case ipc::DrainEvent::kDrained:
      drained_ = true;
      brake_.clear();
      break;
    case ipc::DrainEvent::kFailed:
      drain_failed_ = DrainFailure{.reason = report.reason, .at = now.mono, .held = true};
      break;
    case ipc::DrainEvent::kBrake: brake_ = report.reason; break;
    case ipc::DrainEvent::kCanaryAccepted:
      brake_.clear();
      trouble_.clear();
      break;
  }
  return true;
}

void DestinationHealth::pause(std::string reason, std::string by, std::optional<base::Wall> until) {
  pause_ = Pause{std::move(reason), std::move(by), until};
}

void DestinationHealth::resume() {
  if (!pause_) return;
  pause_.reset();
  drain_failed_.reset();
  brake_.clear();
}

void DestinationHealth::force(bool up, std::string_view by) {
  force_ = Force{up, std::string(up ? kForcedUp : kForcedDown).append(by)};
}

void DestinationHealth::unforce() {
  if (!force_) return;
  force_.reset();
  drain_failed_.reset();
  brake_.clear();
}

void DestinationHealth::forgive_drain() {
  if (drain_failed_) drain_failed_->held = false;
}

DestinationHealth::Target DestinationHealth::target() const {
  if (pause_) return {DestinationState::kPaused, pause_->reason};
  if (force_) return {force_->up ? DestinationState::kUp : DestinationState::kDown, force_->reason};
  if (first_up() == nullptr) return {DestinationState::kDown, servers_reason()};
  if (drain_failed_) return {DestinationState::kDown, drain_failed_->reason};
  if (is_outage(state_) || (state_ == DestinationState::kDraining && !drained_)) {
    return {DestinationState::kDraining, brake_.empty() ? trouble_ : brake_};
  }
  return {DestinationState::kUp, brake_};
}

DestinationHealth::Decision DestinationHealth::decide(Now now) {
  if (pause_ && pause_->until && now.wall >= *pause_->until) resume();
  Target next = target();
  Decision decision;
  decision.reason_changed = next.reason != reason_;
  reason_ = std::move(next.reason);
  if (next.state == state_) return decision;

  StateChange change{.from = state_, .to = next.state, .reason = reason_};
  if (next.state == DestinationState::kDown) {
    for (const ServerHealth& server : servers_) change.after = std::max(change.after, server.failures());
  }
  enter(next.state, now);
  decision.change = std::move(change);
  return decision;
}

void DestinationHealth::enter(DestinationState state, Now now) {
  const bool was_outage = is_outage(state_);
  if (!was_outage && is_outage(state)) down_since_ = now.wall;
  if (was_outage && !is_outage(state)) {
    downtime_ = downtime(now.wall);
    down_since_.reset();
  }
  state_ = state;
  // Two states never begin in the same millisecond: `since` names a drain.
  since_ = std::max(now.wall, since_ + base::Millis(1));
  drained_ = false;
  trouble_.clear();
  if (state != DestinationState::kDraining) brake_.clear();
}

base::Millis DestinationHealth::downtime(base::Wall now) const {
  if (!down_since_ || now <= *down_since_) return downtime_;
  return downtime_ + (now - *down_since_);
}

std::string DestinationHealth::servers_reason() const {
  if (servers_.empty()) return "no servers";
  const std::string& first = servers_.front().reason();
  if (std::ranges::all_of(servers_, [&](const ServerHealth& s) { return s.reason() == first; })) return first;
  std::string all;
  for (std::size_t i = 0; i < std::min(servers_.size(), kNamedServers); ++i) {
    if (!all.empty()) all += "; ";
    all += servers_[i].name() + ": " + servers_[i].reason();
  }
  if (servers_.size() > kNamedServers) all += "; …";
  return all;
}

const ServerHealth* DestinationHealth::server(std::string_view name) const {
  const auto found = std::ranges::find(servers_, name, &ServerHealth::name);
  return found == servers_.end() ? nullptr : &*found;
}

ServerHealth* DestinationHealth::find(std::string_view name) {
  const auto found = std::ranges::find(servers_, name, &ServerHealth::name);
  return found == servers_.end() ? nullptr : &*found;
}

const ServerHealth* DestinationHealth::first_up() const {
  const auto found = std::ranges::find_if(servers_, &ServerHealth::up);
  return found == servers_.end() ? nullptr : &*found;
}

}  // namespace holdfast::prober
