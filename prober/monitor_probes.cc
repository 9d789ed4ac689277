// Monitor: one probe of a server, from its beginning to those who wait for its end.
#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "common/destination/pool_options.h"
#include "common/stats/counters.h"
#include "prober/monitor.h"

namespace holdfast::prober {

void Monitor::begin_probe(const std::string& name, Server& server) {
  const auto all = domains();
  const ProbeSpec spec{.helo = shared_.config->hostname,
                       .token = shared_.token,
                       .postmaster = all.empty() ? "postmaster" : "postmaster@" + all.front(),
                       .server = server.name.empty() ? server.where.host : server.name,
                       .security = server.security ? server.security : security_,
                       .manner = destination::manner_of(settings()),
                       .connect = settings().timeouts.connect,
                       .within = settings().timeouts.command};
  server.schedule.started(present(shared_.loop).mono);
  ++server.begun;
  catch_all_left_ = false;
  base::log().debug("probe of " + name_ + " at " + name);
  server.probe = std::make_unique<ServerProbe>(shared_.loop, shared_.resolver, server.where, spec,
                                               static_cast<ServerProbe::Owner&>(*this));
}

void Monitor::on_resolved(const std::string& server, const std::vector<std::string>& addresses) {
  health_.set_addresses(server, addresses, present(shared_.loop));
  if (const auto found = servers_.find(server); found != servers_.end()) found->second.addresses = addresses;
}

void Monitor::on_unresolved(const std::string& server, const std::string& reason) {
  stats::count(stats::Counter::kProbesFailed);
  health_.record_unresolved(server, reason, present(shared_.loop));
}

std::vector<Ask> Monitor::on_verdict(const std::string& server, const std::string& address, const Verdict& verdict) {
  base::log().debug("probe of " + name_ + " at " + address + ": " +
                    (verdict.evidence.ok ? "passed" : verdict.evidence.reason));
  stats::count(verdict.evidence.ok ? stats::Counter::kProbesPassed : stats::Counter::kProbesFailed);
  health_.record_probe(server, address, verdict.evidence, present(shared_.loop));
  std::vector<Ask> asks;
  if (verdict.evidence.ok) {
    const ServerHealth* first = health_.first_up();
    if (first == nullptr || first->name() == server) capabilities_ = verdict.capabilities;
    postmaster_accepted_ = verdict.postmaster_accepted;
    if (!asking_) asks = gather_asks(server);
    asking_ = asking_ || !asks.empty();
  }
  act();
  return asks;
}

void Monitor::on_probed(const std::string& name) {
  const auto found = servers_.find(name);
  if (found == servers_.end()) return;
  Server& server = found->second;
  const ServerHealth* health = health_.server(name);
  last_probe_ = base::wall_now();
  ++server.ended;
  server.schedule.ended(present(shared_.loop).mono, (health != nullptr && health->unsettled()) || more_to_ask());
  shared_.loop.bury(std::move(server.probe));
  act();
  finish_waiters();
}

void Monitor::finish_waiters() {
  std::vector<std::function<void()>> finished;
  std::erase_if(waiters_, [&](Waiter& waiter) {
    const bool waiting = std::ranges::any_of(waiter.wanted, [&](const auto& wanted) {
      const auto server = servers_.find(wanted.first);
      return server != servers_.end() && server->second.ended < wanted.second;
    });
    if (!waiting) finished.push_back(std::move(waiter.done));
    return !waiting;
  });
  for (auto& done : finished) act(std::move(done));  // the answer comes after the commit
}

}  // namespace holdfast::prober
