#include "deliver/mx_pools.h"

#include <algorithm>

#include "common/destination/pool_options.h"
#include "deliver/ourselves.h"

namespace holdfast::deliver {
namespace {

// However long or short the answers' time to live.
constexpr base::Seconds kShortest{30}, kLongest{3600};
// Servers of strangers greet late, some on purpose, and what goes to them is often tried only once (RFC 5321
// section 4.5.3.2 allows 5 minutes a command).
constexpr base::Millis kConnect{10'000}, kSession{60'000}, kCommand{60'000};

dns::ResolverOptions resolver_options(const config::Config& config) {
  dns::ResolverOptions options;
  for (const auto& server : config.resolvers) {
    if (const auto address = net::SocketAddress::ip(server.host, server.port)) options.servers.push_back(*address);
  }
  return options;
}

}  // namespace

MxPools::MxPools(net::Loop& loop, config::ConfigPtr config)
    : loop_(loop), config_(std::move(config)), literals_(loop) {}

void MxPools::find(const config::Destination& destination, const std::string& domain, Found found) {
  const Key key{destination.name, domain};
  Entry& entry = entries_[key];
  ++entry.jobs;
  entry.last_used = loop_.now();
  const bool looking = !entry.waiting.empty();
  if (entry.pool && loop_.now() < entry.good_until) {
    entry.pool->set_limit(std::max(entry.pool->options().limit, entry.jobs));
    loop_.later([alive = std::weak_ptr(alive_), pool = entry.pool, found = std::move(found)] {
      if (alive.lock()) found(pool);
    });
    return;
  }
  entry.waiting.push_back(std::move(found));
  if (!looking) look_up(key);
}

// The resolver is made with the first question: a gateway that needs none has none.
void MxPools::look_up(const Key& key) {
  if (!servers_) servers_ = make_servers();
  servers_->find(loop_, key.second, [this, alive = std::weak_ptr(alive_), key, round = round_](const auto& route) {
    if (alive.lock() && round == round_) looked_up(key, route);
  });
}

void MxPools::looked_up(const Key& key, const std::expected<dns::MailRoute, dns::Refusal>& route) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  const config::Destination* destination = config_->find_destination(key.first);
  const auto waiting = std::exchange(entry.waiting, {});
  std::expected<std::shared_ptr<upstream::Pool>, dns::Refusal> result;
  if (destination == nullptr) {
    result = std::unexpected(dns::Refusal{false, "4.3.5", "the destination " + key.first + " is not configured"});
  } else if (!route) {
    result = std::unexpected(route.error());
  } else {
    entry.pool = make_pool(*destination, *route);
    entry.pool->set_limit(std::max(1, entry.jobs));
    entry.good_until = loop_.now() + std::clamp(route->ttl, kShortest, kLongest);
    result = entry.pool;
  }
  const std::weak_ptr alive(alive_);
  for (const auto& found : waiting) {
    if (alive.lock()) found(result);
  }
}

std::shared_ptr<upstream::Pool> MxPools::make_pool(const config::Destination& destination,
                                                   const dns::MailRoute& route) {
  upstream::PoolOptions options = destination::pool_options(destination, config_->hostname);
  options.servers.clear();
  for (const auto& server : route.servers) {
    options.servers.push_back({.host = server.address.host(),
                               .port = server.address.port(),
                               .text = server.address.text(),
                               .name = server.host});
  }
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
  servers_.reset();
  ++round_;
  for (auto& [key, entry] : entries_) {
    entry.pool = nullptr;
    if (!entry.waiting.empty()) look_up(key);
  }
  std::erase_if(entries_, [](const auto& item) { return item.second.jobs == 0; });
}

std::unique_ptr<dns::MailServers> MxPools::make_servers() const {
  return std::make_unique<dns::MailServers>(std::make_shared<dns::Resolver>(loop_, resolver_options(*config_)),
                                            ourselves(*config_), static_cast<std::uint16_t>(config_->bounces.mx_port));
}

}  // namespace holdfast::deliver
