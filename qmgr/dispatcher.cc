#include "qmgr/dispatcher.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/base/text.h"
#include "common/mail/address.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"

namespace holdfast::qmgr {
namespace {

using mail::DestinationState;
using mail::QueueId;

constexpr std::size_t kMostRounds = 1000;  // then other events get their turn
constexpr base::Millis kTick{5'000};
constexpr base::Millis kProbeAgain{5'000};

std::int64_t wall_ms() { return base::to_millis(base::wall_now()); }

double chance() { return static_cast<double>(base::random_number() >> 11) / static_cast<double>(1ULL << 53); }

}  // namespace

Dispatcher::Dispatcher(Parts parts, config::ConfigPtr config)
    : parts_(parts),
      flights_(parts.index, parts.writer, parts.reports, [this](QueueId id, const Effect&) { landed(id); }, parts.told),
      read_(parts.index.env()),
      timer_(parts.loop, [this] { pump_now(); }) {
  configure(std::move(config));
}

Lane::Limits Dispatcher::limits(const config::Destination& destination) {
  return {.max_connections = destination.max_connections,
          .probe_interval = destination.probe.interval,
          .judged = destination.name != config::kBounces};
}

void Dispatcher::configure(config::ConfigPtr config) {
  config_ = std::move(config);
  for (auto& [name, r] : roads_) {
    if (config_->find_destination(name) == nullptr) settle(r.lane.spare_suspects());  // nobody else would ever
  }
  std::erase_if(roads_, [&](const auto& r) { return config_->find_destination(r.first) == nullptr; });
  for (const auto& [name, destination] : config_->destinations) add_road(destination);
  // Nobody probes the road of bounces: it is always up.
  settle(add_road(config_->bounce_road).lane.set_state(DestinationState::kUp, 0));
  const storage::ReadTxn::View view(read_);
  if (!view) return;
  parts_.index.each_counter(read_, [&](std::string_view name, const storage::Counter& counter) {
    if (counter.messages() == 0 || config_->find_destination(name) != nullptr) return;
    base::log().warning(
        fmt::format("{} messages are queued for destination {}, which is not configured", counter.messages(), name));
  });
  pump();
}

Road& Dispatcher::add_road(const config::Destination& destination) {
  auto& added = roads_.try_emplace(destination.name, limits(destination)).first->second;
  added.lane.set_limits(limits(destination));
  return added;
}

Road* Dispatcher::road(const std::string& name) {
  const auto at = roads_.find(name);
  return at == roads_.end() ? nullptr : &at->second;
}

void Dispatcher::destination_state(const ipc::Destination& told) {
  auto* r = road(told.name);
  if (r == nullptr || told.name == config::kBounces) return;
  auto& lane = r->lane;
  if (lane.state() == told.state && lane.since_ms() == told.since_ms) return;
  settle(lane.set_state(told.state, told.since_ms));
  r->begin_state();
  pump();
}

void Dispatcher::prober_connected() {
  for (auto& [name, r] : roads_) {
    r.last_report = {};
    const bool of_a_drain = r.lane.state() == DestinationState::kDraining || r.lane.phase() == Lane::Phase::kBraked;
    if (!of_a_drain || r.lane.reason().empty()) continue;
    const bool failed = r.lane.phase() == Lane::Phase::kStopped;
    tell(name, r, failed ? ipc::DrainEvent::kFailed : ipc::DrainEvent::kBrake, r.lane.reason());
  }
  pump();
}

void Dispatcher::indexed(const IndexedStep& step) {
  stats::count(stats::Counter::kIndexed, step.messages.size());
  for (const auto& message : step.messages) queued(message);
}

void Dispatcher::queued(const NewMessage& message) {
  if (!message.message_id.empty()) base::log().write(mail::events::message_id(message.id, message.message_id));
  base::log().write(mail::events::queued_from(message.id, message.sender, message.size, message.recipients));
  if (auto* r = road(message.destination)) {
    r->lane.touch();
    if (r->lane.state() == DestinationState::kDown) probe_soon(message.destination);
  }
  pump();
}

bool Dispatcher::claim(QueueId id) {
  // A deliver that we have not heard of yet may have any message in hand.
  if (!parts_.couriers.complete() || flights_.contains(id)) return false;
  return claimed_.insert(id).second;
}

void Dispatcher::unclaim(QueueId id) {
  if (claimed_.erase(id) == 0) return;
  const storage::ReadTxn::View view(read_);
  const auto row = view ? parts_.index.message(read_, id) : std::nullopt;
  if (!row) return;
  look_again(row->destination, row->arrival_ms, id);
  if (auto* r = road(row->destination)) r->lane.touch();
  pump();
}

void Dispatcher::probe_soon(const std::string& destination) {
  auto* r = road(destination);
  const auto now = parts_.loop.now();
  if (r == nullptr || (r->last_probe != base::Mono{} && now - r->last_probe < kProbeAgain)) return;
  r->last_probe = now;
  parts_.prober.tell(ipc::ProbeNow{.destination = destination});
}

void Dispatcher::queue_changed() {
  for (auto& [name, r] : roads_) r.load_anew();
  pump();
}

void Dispatcher::commits_work(bool work) {
  commits_work_ = work;
  pump();
}

void Dispatcher::pump() {
  if (std::exchange(pumping_, true)) return;
  parts_.loop.later([this] { pump_now(); });
}

void Dispatcher::pump_now() {
  pumping_ = false;
  more_to_load_ = false;
  const auto now = parts_.loop.now();
  // Before every deliver was heard nothing is even loaded: it may run what we would load.
  const bool open = !stopping_ && commits_work_ && parts_.couriers.complete();
  for (auto& [name, r] : roads_) {
    if (open) tend(name, r, now);
  }
  // Round by round, one job a destination, beginning behind the one that was served last.
  std::size_t rounds = 0;
  for (bool any = open; any && rounds < kMostRounds; ++rounds) {
    any = false;
    auto at = roads_.upper_bound(last_served_);
    for (std::size_t i = 0; i < roads_.size(); ++i, ++at) {
      if (at == roads_.end()) at = roads_.begin();
      if (!hand_out_one(at->first, at->second, now)) continue;
      last_served_ = at->first;
      any = true;
    }
  }
  for (auto& [name, r] : roads_) report(name, r, now);
  if (more_to_load_ || rounds == kMostRounds) pump();
  set_timer(now);
  check_idle();
}

// Brings a lane's window up to date.
void Dispatcher::tend(const std::string& name, Road& r, base::Mono now) {
  r.touch_if_due(wall_ms());
  if (r.lane.wants_refill() && !load(name, r)) return;
  settle(r.lane.settle_if_idle(now));
}

bool Dispatcher::load(const std::string& name, Road& r) {
  const storage::ReadTxn::View view(read_);
  if (!view) return false;
  const bool only_skipped = r.load(parts_.index, read_, name, wall_ms(), [&](QueueId id) {
    return flights_.contains(id) || claimed_.contains(id);
  });
  more_to_load_ = more_to_load_ || only_skipped;
  return true;
}

bool Dispatcher::hand_out_one(const std::string& name, Road& r, base::Mono now) {
  const auto worker = parts_.couriers.least_busy();
  if (!worker) return false;
  if (r.lane.wants_refill() && !load(name, r)) return false;
  const auto pick = r.lane.next(now);
  if (!pick) return false;
  base::expect(!flights_.contains(pick->message.id), "a message was picked that is handed out already");
  // Claimed, deleted or held since it was loaded.
  auto handing = claimed_.contains(pick->message.id) ? std::nullopt : make(name, *pick);
  if (!handing) {
    r.lane.drop(pick->message.id);
    return true;
  }
  flights_.put(pick->message.id, std::move(handing->flight));
  parts_.couriers.hand(*worker, handing->job);
  return true;
}

std::optional<Handing> Dispatcher::make(const std::string& name, const Lane::Pick& pick) {
  const storage::ReadTxn::View view(read_);
  return view ? make_job(parts_.index, read_, name, pick, wall_ms()) : std::nullopt;
}

void Dispatcher::running(const ipc::RunningJob& job) {
  const storage::ReadTxn::View view(read_);
  auto flight =
      view ? flight_of(parts_.index, read_, job)
           : Flight{
                 .destination = job.destination, .attempt = job.attempt, .outcome = {}, .sender = {}, .recipients = {}};
  flights_.put({job.queue_id}, std::move(flight));
  if (auto* r = road(job.destination)) r->lane.adopt({job.queue_id});
}

void Dispatcher::jobs_lost(const std::vector<QueueId>& ids) {
  for (const auto id : ids) {
    const auto* flight = flights_.find(id);
    if (flight == nullptr || flight->outcome) continue;  // its outcome is here already
    if (auto* r = road(flight->destination)) r->lane.give_back(id);
    look_again(flight->destination, flight->arrival_ms, id);
    flights_.end(id);
  }
  pump();
}

void Dispatcher::outcome(std::uint32_t worker, const ipc::Outcome& o) {
  const QueueId id{o.queue_id};
  auto* flight = flights_.find(id);
  if (flight != nullptr && flight->outcome) {  // told again while it is being committed
    flight->worker = worker;
    if (auto* r = road(flight->destination)) r->lane.drop(id);  // whatever it was told meanwhile, it does not run
    return;
  }
  const bool ours = parts_.couriers.runs(worker, id);
  if (flight != nullptr && !ours) {  // another deliver runs it now: this one is of before
    parts_.couriers.committed(worker, id, o.attempt);
    return;
  }
  if (flight == nullptr) {  // from before our start: the index says whether it is new
    running({.queue_id = o.queue_id, .attempt = o.attempt, .destination = o.destination});
    flight = flights_.find(id);
  }
  parts_.couriers.finished(worker, id);
  flight->outcome = o;
  flight->worker = worker;
  const auto assessment = assess(o, flight->sender, flight->recipients, [&](std::string_view address) {
    return parts_.prober.still_known(address, o.destination);
  });
  tell_refused(o, assessment, *flight);
  if (auto* r = road(flight->destination)) {
    settle(r->lane.finished(id, assessment, parts_.loop.now()));
    if (stopping_) settle(r->lane.spare_suspects());
  } else {
    commit(id, Treatment::kSpare);
  }
  pump();
}

void Dispatcher::tell_refused(const ipc::Outcome& o, const Assessment& assessment, const Flight& flight) {
  for (const auto& r : o.recipients) {
    if (!r.speaks_of_recipient || r.index >= flight.recipients.size()) continue;
    const auto& address = flight.recipients[r.index].address;
    const auto& known = assessment.refused_known;
    if (std::find(known.begin(), known.end(), address) == known.end()) continue;
    const auto parsed = mail::parse_address(address);
    if (!parsed) continue;
    parts_.prober.tell(ipc::RefusedKnown{.destination = o.destination,
                                         .key = mail::recipient_key(*parsed, config_->recipient_delimiter),
                                         .address = address,
                                         .reply = r.reply});
  }
}

void Dispatcher::settle(const std::vector<Settled>& settled) {
  for (const auto& s : settled) commit(s.id, s.how);
}

Ruling Dispatcher::ruling(const Flight& flight, Treatment how) {
  static const std::vector<config::Phase> kAny{
      {.until = base::Seconds(86400), .every = base::Seconds(900), .start = {}, .factor = 1}};
  const auto* destination = config_->find_destination(flight.destination);
  const auto* r = road(flight.destination);
  const bool draining =
      r != nullptr && (r->lane.state() == DestinationState::kDraining || r->lane.phase() == Lane::Phase::kBraked);
  const bool soon = draining || how == Treatment::kSpare;
  return {.how = how,
          .now_ms = wall_ms(),
          .draining = draining,
          .longest_wait_ms = soon && destination != nullptr ? destination->probe.interval.count() * 1000 : 0,
          .jitter = {.percent = destination != nullptr ? destination->jitter : 5, .chance = chance()},
          .schedule = destination != nullptr ? destination->schedule : kAny,
          .config = config_,
          .handed_due_ms = flight.due_ms};
}

void Dispatcher::commit(QueueId id, Treatment how) {
  const auto& flight = *flights_.find(id);
  if (how == Treatment::kUntouched) {
    parts_.couriers.committed(flight.worker, id, flight.outcome->attempt);
    look_again(flight.destination, flight.arrival_ms, id);
    end_flight(id);
    return;
  }
  if (auto* mine = road(flight.destination)) ++mine->settling;
  flights_.commit(id, std::make_shared<const Ruling>(ruling(flight, how)));
}

void Dispatcher::landed(QueueId id) {
  const auto* flight = flights_.find(id);
  if (flight == nullptr || !flight->outcome) return;
  parts_.couriers.committed(flight->worker, id, flight->outcome->attempt);
  if (auto* r = road(flight->destination); r != nullptr && r->settling > 0) --r->settling;
  end_flight(id);
}

void Dispatcher::end_flight(QueueId id) {
  if (auto* r = road(flights_.find(id)->destination)) r->lane.touch();
  flights_.end(id);
  pump();
}

void Dispatcher::look_again(const std::string& destination, std::int64_t arrival_ms, QueueId id) {
  if (auto* r = road(destination)) r->look_again(arrival_ms, id);
}

void Dispatcher::set_timer(base::Mono now) {
  auto wait = kTick;
  const auto sooner = [&](base::Millis other) { wait = std::clamp(other, base::Millis(1), wait); };
  for (const auto& [name, r] : roads_) {
    if (const auto wake = r.lane.wake_at(); wake && *wake > now) sooner(std::chrono::ceil<base::Millis>(*wake - now));
    if (r.next_due_ms && r.lane.phase() != Lane::Phase::kStopped) sooner(base::Millis(*r.next_due_ms - wall_ms()));
    if (r.lane.drained()) sooner(kDrainedAgain);
  }
  timer_.start(wait);
}

void Dispatcher::stop(std::function<void()> idle) {
  stopping_ = true;
  idle_ = std::move(idle);
  for (auto& [name, r] : roads_) settle(r.lane.spare_suspects());
  check_idle();
}

void Dispatcher::check_idle() {
  if (!stopping_ || !idle_ || !flights_.empty() || parts_.writer.pending() > 0) return;
  parts_.loop.later(std::exchange(idle_, nullptr));
}

}  // namespace holdfast::qmgr
