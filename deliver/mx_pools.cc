#include "deliver/mx_pools.h"

#include <algorithm>

#include "common/destination/mx_pool.h"
#include "common/destination/pool_options.h"
#include "common/destination/security.h"

namespace holdfast::deliver {
namespace {

// Servers of strangers greet late, some on purpose, and what goes to them is often tried only once (RFC 5321
// section 4.5.3.2 allows 5 minutes a command).
constexpr base::Millis kConnect{10'000}, kSession{60'000}, kCommand{60'000};

}  // namespace

MxPools::MxPools(net::Loop& loop, config::ConfigPtr config, std::shared_ptr<destination::MxRoutes> routes)
    : loop_(loop), config_(std::move(config)), routes_(std::move(routes)), literals_(loop) {}

void MxPools::find(const config::Destination& destination, const std::string& domain, Found found) {
  const Key key{destination.name, domain};
  Entry& entry = entries_[key];
  ++entry.jobs;
  entry.last_used = loop_.now();
  routes_->find({domain, config_->bounces.mx_port, destination::wants_dane(destination)},
                [this, alive = std::weak_ptr(alive_), key, found = std::move(found)](const destination::Route& route) {
                  if (alive.lock()) found(looked_up(key, route));
                });
}

std::expected<std::shared_ptr<upstream::Pool>, dns::Refusal> MxPools::looked_up(const Key& key,
                                                                                const destination::Route& route) {
  const config::Destination* destination = config_->find_destination(key.first);
  if (destination == nullptr) {
    return std::unexpected(dns::Refusal{false, "4.3.5", "the destination " + key.first + " is not configured"});
  }
  if (!route) return std::unexpected(route.error());
  const auto at = entries_.find(key);
  if (at == entries_.end()) return make_pool(*destination, key.second, **route);  // the job has been given up
  Entry& entry = at->second;
  if (!entry.pool || entry.route != *route) {
    entry.route = *route;
    entry.pool = make_pool(*destination, key.second, **route);
  }
  entry.pool->set_limit(std::max({1, entry.jobs, entry.pool->options().limit}));
  return entry.pool;
}

std::shared_ptr<upstream::Pool> MxPools::make_pool(const config::Destination& destination,
                                                   const std::string& domain, const dns::MailRoute& route) {
  upstream::PoolOptions options = destination::pool_options(destination, config_->hostname);
  options.servers = destination::server_names(route, domain, options.security);
  options.timeouts.connect = std::max(options.timeouts.connect, kConnect);
  options.timeouts.session = std::max(options.timeouts.session, kSession);
  options.timeouts.command = std::max(options.timeouts.command, kCommand);
  options.breaker = net::Millis{0};
  return std::make_shared<upstream::Pool>(loop_, literals_, std::move(options), upstream::PoolCallbacks{});
}

void MxPools::job_ended(const std::string& destination, const std::string& domain) {
  const auto at = entries_.find(Key{destination, domain});
  if (at == entries_.end()) return;
  --at->second.jobs;
  at->second.last_used = loop_.now();
  if (at->second.jobs == 0 && !at->second.pool) entries_.erase(at);
  forget_some();
}

void MxPools::forget_some() {
  while (entries_.size() > kMostIdlePools) {
    auto oldest = entries_.end();
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
      if (at->second.jobs > 0) continue;
      if (oldest == entries_.end() || at->second.last_used < oldest->second.last_used) oldest = at;
    }
    if (oldest == entries_.end()) return;
    entries_.erase(oldest);
  }
}

void MxPools::reload(config::ConfigPtr config) {
  config_ = std::move(config);
  for (auto& [key, entry] : entries_) entry.pool = nullptr;
  std::erase_if(entries_, [](const auto& item) { return item.second.jobs == 0; });
}

}  // namespace holdfast::deliver
