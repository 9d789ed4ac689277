// Monitor: servers that are a domain's MX. They are looked up before each probe; the answer is kept by its time to
// live, so that a probe seldom waits for one.
#include <algorithm>

#include "common/destination/security.h"
#include "prober/monitor.h"

namespace holdfast::prober {

bool Monitor::any_due() const {
  const base::Mono now = present(shared_.loop).mono;
  return std::ranges::any_of(servers_, [&](const auto& server) { return server.second.schedule.due(now); });
}

// Stands for all servers while none is known: lookups that fail make it down, and the destination with it.
std::string Monitor::lookup_name() const { return "MX of " + settings().mx_domain; }

std::vector<std::string> Monitor::server_texts(const std::optional<storage::DestinationRow>& row) const {
  std::vector<std::string> out;
  for (const auto& server : settings().servers) out.push_back(server.text());
  if (!settings().mx) return out;
  if (row) {
    for (const auto& server : row->servers) out.push_back(server.server);
  }
  if (out.empty()) out.push_back(lookup_name());
  return out;
}

void Monitor::look_up() {
  looking_up_ = true;
  shared_.routes->find({settings().mx_domain, settings().mx_port, destination::wants_dane(settings())},
                       [this, alive = std::weak_ptr(alive_)](const destination::Route& route) {
                         if (alive.lock()) on_route(route);
                       });
}

void Monitor::on_route(const destination::Route& route) {
  looking_up_ = false;
  if (!route) {
    route_ = nullptr;
    probe_lookup(route.error().text);
  } else {
    if (route_ != *route) {
      route_ = *route;
      const base::Mono now = present(shared_.loop).mono;
      std::vector<Server> servers;
      for (const auto& server : route_->servers) {
        servers.emplace_back(config::HostPort{server.address.host(), server.address.port()},
                             ProbeSchedule(settings().probe.interval, now), server.host);
        servers.back().security = destination::dane_security(security_, server, settings().mx_domain);
      }
      use_servers(std::move(servers));
    }
    begin_probes();
  }
  act();
  finish_waiters();
}

// After a reload: what else has changed counts at once, the servers with the next lookup.
void Monitor::keep_servers() {
  std::vector<std::string> texts;
  for (const auto& server : health_.servers()) texts.push_back(server.name());
  health_.configure(health_settings(settings(), std::move(texts)), present(shared_.loop));
  for (auto& [text, server] : servers_) server.schedule.set_interval(settings().probe.interval);
}

// The lookup failed: that is the probe, and it has failed.
void Monitor::probe_lookup(const std::string& reason) {
  const Now now = present(shared_.loop);
  const std::string name = lookup_name();
  if (servers_.size() != 1 || !servers_.contains(name)) {
    std::vector<Server> one;
    one.emplace_back(config::HostPort{}, ProbeSchedule(settings().probe.interval, now.mono));
    use_servers(std::move(one));
  }
  Server& server = servers_.find(name)->second;
  server.schedule.started(now.mono);
  ++server.begun;
  health_.record_unresolved(name, reason, now);
  last_probe_ = base::wall_now();
  ++server.ended;
  const ServerHealth* health = health_.server(name);
  server.schedule.ended(now.mono, health != nullptr && health->unsettled());
}

}  // namespace holdfast::prober
