#include "prober/monitor.h"

#include <algorithm>
#include <utility>

#include "common/base/announce.h"
#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/destination/pool_options.h"
#include "common/destination/security.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"

namespace holdfast::prober {
namespace {

stats::Counter change_to(DestinationState state) {
  switch (state) {
    case DestinationState::kUp: return stats::Counter::kToUp;
    case DestinationState::kDown: return stats::Counter::kToDown;
    case DestinationState::kDraining: return stats::Counter::kToDraining;
    case DestinationState::kPaused: return stats::Counter::kToPaused;
  }
  base::panic("a state that is none");
}

std::optional<base::Wall> moment(std::int64_t ms) {
  return ms == 0 ? std::nullopt : std::optional(base::from_millis(ms));
}
std::int64_t stored(const std::optional<base::Wall>& t) { return t ? base::to_millis(*t) : 0; }

DestinationHealth::Memory remembered(const storage::DestinationRow& row) {
  DestinationHealth::Memory memory{.state = row.state,
                                   .reason = row.paused ? row.paused_reason : row.reason,
                                   .since = base::from_millis(row.since_ms),
                                   .paused_by = row.paused_by,
                                   .paused_until = moment(row.paused_until_ms),
                                   .downtime = base::Millis(row.downtime_total_ms),
                                   .down_since = moment(row.down_since_ms),
                                   .servers = {}};
  for (const auto& server : row.servers) {
    memory.servers.push_back({server.server, server.up, server.reason, base::from_millis(server.since_ms)});
  }
  return memory;
}

}  // namespace

DestinationHealth::Settings health_settings(const config::Destination& destination, std::vector<std::string> servers) {
  return {.servers = std::move(servers),
          .rules = {.down_after = destination.probe.down_after, .up_after = destination.probe.up_after},
          .interval = destination.probe.interval};
}

Now present(const net::Loop& loop) { return {loop.now(), base::wall_now()}; }

Monitor::Monitor(Shared& shared, std::string name, const std::optional<storage::DestinationRow>& row,
                 base::Millis first)
    : shared_(shared),
      name_(std::move(name)),
      security_(destination::security_of(settings())),
      health_(health_settings(settings(), server_texts(row)), present(shared.loop)),
      wake_(shared.loop, [this] { wake(); }) {
  const Now now = present(shared_.loop);
  for (const auto& where : settings().servers) {
    servers_.emplace(where.text(), Server{where, ProbeSchedule(settings().probe.interval, now.mono + first)});
  }
  if (settings().mx) {
    for (const auto& text : server_texts(row)) {  // known by name alone until the first lookup
      servers_.emplace(text, Server{{}, ProbeSchedule(settings().probe.interval, now.mono + first)});
    }
  }
  if (row) {
    health_.restore(remembered(*row), now);
    capabilities_ = row->capabilities;
    last_probe_ = base::from_millis(row->last_probe_ms);
    published_ = ipc::Destination{name_, row->state, row->reason, row->since_ms};
    announced_ = true;
    for (const auto& server : row->servers) {
      if (const auto found = servers_.find(server.server); found != servers_.end()) {
        found->second.addresses = server.addresses;
      }
    }
  }
  act();
}

Monitor::~Monitor() { *alive_ = false; }

const config::Destination& Monitor::settings() const { return shared_.config->destinations.find(name_)->second; }

void Monitor::configure() {
  const Now now = present(shared_.loop);
  security_ = destination::security_of(settings());
  if (settings().mx) {
    keep_servers();
  } else {
    std::vector<Server> wanted;
    for (const auto& where : settings().servers) {
      wanted.emplace_back(where, ProbeSchedule(settings().probe.interval, now.mono));
    }
    use_servers(std::move(wanted));
  }
  finish_waiters();
  act();
}

// Those that stay keep what is known of them.
void Monitor::use_servers(std::vector<Server> wanted) {
  std::vector<std::string> texts;
  std::map<std::string, Server> servers;
  for (auto& server : wanted) {
    const std::string text = server.where.host.empty() ? lookup_name() : server.where.text();
    texts.push_back(text);
    if (auto known = servers_.extract(text)) {
      known.mapped().schedule.set_interval(settings().probe.interval);
      known.mapped().where = server.where;
      known.mapped().name = server.name;
      known.mapped().security = server.security;
      servers.insert(std::move(known));
    } else {
      servers.emplace(text, std::move(server));
    }
  }
  health_.configure(health_settings(settings(), std::move(texts)), present(shared_.loop));
  // Probes of servers that are gone end here, with what they were asking.
  for (auto& [text, server] : servers_) {
    if (server.probe) asking_ = false;
    shared_.loop.bury(std::move(server.probe));
  }
  servers_ = std::move(servers);
}

void Monitor::abandon() {
  for (auto& waiter : std::exchange(waiters_, {})) waiter.done();
}

void Monitor::fact(const ipc::Fact& fact) {
  if (health_.record_fact(fact, present(shared_.loop))) {
    if (const auto server = servers_.find(fact.server); server != servers_.end()) server->second.schedule.hasten();
  }
  act();
}

void Monitor::drain_report(const ipc::DrainReport& report) {
  const Now now = present(shared_.loop);
  const bool known = health_.reason() == report.reason;
  if (!health_.record_drain(report, now)) return;
  if (report.event == ipc::DrainEvent::kBrake && !known) {
    base::announce(base::Level::kWarning, "drain_stopped", {{"destination", name_}, {"reason", report.reason}});
  }
  if (report.event == ipc::DrainEvent::kFailed) {
    // The next canary shall have to wait an interval; so may the probe that lets it go.
    for (auto& [text, server] : servers_) server.schedule.put_off(now.mono + settings().probe.interval);
  }
  act();
}

void Monitor::refused(const ipc::RefusedKnown& refusal) {
  bool learnt = false;  // what the admin says is not forgotten
  shared_.store.read([&](const storage::Directory& directory, const storage::Txn& txn) {
    const auto row = directory.recipient(txn, refusal.key);
    learnt = row && row->source == storage::RecipientSource::kLearnt && row->destination == name_;
  });
  if (!learnt) return doubt_local(refusal);
  suspicions_.suspect(refusal.key, refusal.address, base::wall_now());
  look();
}

void Monitor::doubt_local(const ipc::RefusedKnown& refusal) {
  constexpr std::size_t kMost = 100;
  constexpr base::Seconds kAgain{3600};
  const base::Mono now = present(shared_.loop).mono;
  std::erase_if(local_asked_, [&](const auto& asked) { return now - asked.second >= kAgain; });
  if (!shared_.config->is_local_recipient(refusal.key) || local_asked_.size() >= kMost) return;
  if (!local_asked_.emplace(refusal.key, now).second) return;
  local_doubts_.emplace(refusal.key, refusal.address);
  look();
}

void Monitor::look() {
  for (auto& [text, server] : servers_) server.schedule.hasten();
  schedule_wake();
}

bool Monitor::accepted(const std::string& key) {
  constexpr std::size_t kRecent = 16;
  if (std::ranges::find(recent_, key) == recent_.end()) {
    recent_.push_front(key);
    if (recent_.size() > kRecent) recent_.pop_back();
  }
  return suspicions_.clear(key);
}

void Monitor::restore_suspicion(const std::string& key, base::Wall refused) {
  suspicions_.restore(key, refused);
  schedule_wake();
}

void Monitor::probe(std::function<void()> done) {
  const Now now = present(shared_.loop);
  health_.forgive_drain();
  Waiter waiter{.wanted = {}, .done = std::move(done)};
  for (auto& [text, server] : servers_) {
    server.schedule.force(now.mono);
    waiter.wanted[text] = server.begun + 1;
  }
  waiters_.push_back(std::move(waiter));
  schedule_wake();
}

void Monitor::pause(std::string reason, std::string by, std::optional<base::Wall> until, std::function<void()> done) {
  health_.pause(std::move(reason), std::move(by), until);
  act(std::move(done));
}

void Monitor::force(bool up, std::string_view by, std::function<void()> done) {
  health_.force(up, by);
  act(std::move(done));
}

void Monitor::unforce(std::function<void()> done) {
  health_.unforce();
  act(std::move(done));
}

void Monitor::resume(std::function<void()> done) {
  health_.resume();
  act(std::move(done));
}

std::int64_t Monitor::downtime_ms() const { return health_.downtime(base::wall_now()).count(); }

void Monitor::act(std::function<void()> done) {
  const Now now = present(shared_.loop);
  const auto decision = health_.decide(now);
  if (decision.change) {
    base::log().notice(mail::events::destination_state(name_, mail::to_text(decision.change->to),
                                                       mail::to_text(decision.change->from), decision.change->after,
                                                       decision.change->reason));
  }
  const storage::DestinationRow fresh = row();
  storage::DestinationRow same = written_;
  same.confirmed_ms = fresh.confirmed_ms;
  const bool confirm = !writing_ && (base::from_millis(written_.confirmed_ms) + settings().probe.interval <= now.wall ||
                                     written_.confirmed_ms > fresh.confirmed_ms);
  const bool news = decision.change || decision.reason_changed || !announced_;
  if (news || confirm || !ever_written_ || fresh != same || done) write(news, std::move(done));
  schedule_wake();
}

void Monitor::write(bool publish, std::function<void()> done) {
  dirty_ = true;
  news_ = news_ || publish;
  announced_ = announced_ || publish;
  if (done) dones_.push_back(std::move(done));
  if (!writing_) {
    submit_row();
  } else if (shared_.store.failing()) {
    store_failing();
  }
}

// One row at a time: while commits fail a later one replaces what has not been written, it does not queue.
void Monitor::submit_row() {
  writing_ = true;
  dirty_ = false;
  written_ = row();
  ever_written_ = true;
  std::optional<ipc::Destination> told;
  if (std::exchange(news_, false)) told = ipc::Destination{name_, written_.state, written_.reason, written_.since_ms};
  auto dones = std::exchange(dones_, {});
  const bool urgent = told || !dones.empty();
  shared_.store.submit(
      [name = name_, row = written_](storage::Directory& directory, storage::WriteTxn& txn) {
        return directory.put_destination(txn, name, row);
      },
      [this, alive = alive_, told = std::move(told), dones = std::move(dones)] {
        if (*alive) row_committed(told);
        for (const auto& done : dones) done();
      },
      urgent);
}

void Monitor::row_committed(const std::optional<ipc::Destination>& told) {
  writing_ = false;
  if (told && !news_) tell(*told);  // else a newer state follows at once, or has been told already
  if (dirty_) submit_row();
  schedule_wake();
}

void Monitor::tell(const ipc::Destination& told) {
  if (published_ && published_->state == told.state && published_->reason == told.reason &&
      published_->since_ms == told.since_ms) {
    return;
  }
  if (published_ && published_->state != told.state) stats::count(change_to(told.state));
  published_ = told;
  shared_.publish(told);
}

void Monitor::store_failing() {
  const auto now = row();
  tell({name_, now.state, now.reason, now.since_ms});
}

storage::DestinationRow Monitor::row() const {
  const auto memory = health_.memory();
  storage::DestinationRow row;
  row.state = memory.state;
  row.reason = memory.reason;
  row.since_ms = base::to_millis(memory.since);
  row.last_probe_ms = base::to_millis(last_probe_);
  row.confirmed_ms = base::to_millis(base::wall_now());
  row.paused = memory.state == DestinationState::kPaused;
  if (row.paused) {
    row.paused_by = memory.paused_by;
    row.paused_reason = memory.reason;
    row.paused_until_ms = stored(memory.paused_until);
  }
  row.capabilities = capabilities_;
  row.downtime_total_ms = memory.downtime.count();
  row.down_since_ms = stored(memory.down_since);
  for (const auto& server : memory.servers) {
    const auto found = servers_.find(server.name);
    row.servers.push_back({server.name, server.up, server.reason, base::to_millis(server.since),
                           found == servers_.end() ? std::vector<std::string>{} : found->second.addresses});
    const ServerHealth* health = health_.server(server.name);
    row.refuses_known = row.refuses_known || (health != nullptr && health->refuses_known());
  }
  return row;
}

void Monitor::wake() {
  const Now now = present(shared_.loop);
  // A suspicion that is due makes the server it concerns due.
  if (const auto due = suspicions_.next_due(); due && *due <= now.wall && can_ask()) {
    for (auto& [text, server] : servers_) server.schedule.hasten();
  }
  if (!settings().mx) {
    begin_probes();
  } else if (!looking_up_ && any_due()) {
    look_up();
  }
  act();
}

void Monitor::begin_probes() {
  const base::Mono now = present(shared_.loop).mono;
  for (auto& [text, server] : servers_) {
    if (server.schedule.due(now) && !server.where.host.empty()) begin_probe(text, server);
  }
}

void Monitor::schedule_wake() {
  const Now now = present(shared_.loop);
  base::Mono next = now.mono + settings().probe.interval;
  for (const auto& [text, server] : servers_) {
    if (!server.schedule.running() && !looking_up_) next = std::min(next, server.schedule.next());
  }
  const auto at = [&](base::Wall t) { next = std::min(next, now.mono + std::max(base::Millis(0), t - now.wall)); };
  if (const auto until = health_.paused_until()) at(*until);
  // While a due suspicion waits for its probe, that probe's time is already in `next`.
  if (const auto due = suspicions_.next_due(); due && *due > now.wall) at(*due);
  if (!writing_) at(base::from_millis(written_.confirmed_ms) + settings().probe.interval);
  wake_.start(std::max(base::Millis(1), std::chrono::ceil<base::Millis>(next - now.mono)));
}

std::vector<std::string> Monitor::domains() const {
  std::vector<std::string> names;
  for (const auto& [text, domain] : shared_.config->domains) {
    if (domain.destination == name_) names.push_back(text);
  }
  return names;
}

}  // namespace holdfast::prober
