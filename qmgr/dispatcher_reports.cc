// What the dispatcher tells of its roads: to the prober, whose states they are, to the log, and to who asks.
#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/stats/counters.h"
#include "qmgr/dispatcher.h"

namespace holdfast::qmgr {
namespace {

void count(ipc::DrainEvent event) {
  switch (event) {
    case ipc::DrainEvent::kFailed: return stats::count(stats::Counter::kDrainsFailed);
    case ipc::DrainEvent::kBrake: return stats::count(stats::Counter::kDrainsBraked);
    case ipc::DrainEvent::kCanaryAccepted: return stats::count(stats::Counter::kCanariesAccepted);
    case ipc::DrainEvent::kDrained: return;  // the prober counts the state that follows
  }
}

}  // namespace

void Dispatcher::report(const std::string& name, Road& r, base::Mono now) {
  for (const auto& event : r.lane.take_events()) {
    count(event.event);
    if (event.event == ipc::DrainEvent::kBrake) {
      const bool braked = r.lane.phase() == Lane::Phase::kBraked;
      base::log().warning(
          fmt::format("destination {}: {}: {}", name,
                      braked ? "it refuses what it should accept, one message an interval" : "its queue has to wait",
                      base::printable(event.reason)));
    }
    tell(name, r, event.event, event.reason);
  }
  if (!r.lane.drained() || r.settling > 0 || stopping_) return;
  if (r.last_report != base::Mono{} && now - r.last_report < kDrainedAgain) return;
  r.last_report = now;
  tell(name, r, ipc::DrainEvent::kDrained, {});
}

void Dispatcher::tell(const std::string& name, const Road& r, ipc::DrainEvent event, const std::string& reason) {
  parts_.prober.tell(
      ipc::DrainReport{.destination = name, .since_ms = r.lane.since_ms(), .event = event, .reason = reason});
}

std::vector<Dispatcher::LaneReport> Dispatcher::lanes() const {
  std::vector<LaneReport> out;
  for (const auto& [name, r] : roads_) {
    out.push_back({.name = name,
                   .state = std::string(mail::to_text(r.lane.state())),
                   .phase = std::string(Lane::to_text(r.lane.phase())),
                   .reason = r.lane.reason(),
                   .active = r.lane.active(),
                   .limit = r.lane.limit()});
  }
  return out;
}

}  // namespace holdfast::qmgr
