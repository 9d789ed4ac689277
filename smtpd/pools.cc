#include "smtpd/pools.h"

#include <algorithm>

#include "common/destination/mx_pool.h"
#include "common/destination/pool_options.h"

namespace holdfast::smtpd {

int connection_share(int max_connections, mail::DestinationState state, int workers) {
  const bool draining = state == mail::DestinationState::kDraining;
  const int deliver = std::max(1, max_connections / (draining ? 2 : 4));
  return std::max(1, (max_connections - deliver) / std::max(1, workers));
}

Pools::Pools(net::Loop& loop, AddressBook& book, ProberLink& prober, int workers)
    : loop_(loop), book_(book), prober_(prober), workers_(workers), resolver_(loop),
      routes_(std::make_shared<destination::MxRoutes>(loop, book.config_ptr())) {}

std::shared_ptr<upstream::Pool> Pools::of(const config::Destination& destination, mail::DestinationState state) {
  auto at = pools_.find(destination.name);
  if (at == pools_.end()) at = pools_.emplace(destination.name, make(destination)).first;
  Entry& entry = at->second;
  if (entry.state != state) {
    if (entry.state == mail::DestinationState::kDown) entry.pool->forgive();
    entry.state = state;
    entry.pool->set_limit(connection_share(entry.max_connections, state, workers_));
  }
  return entry.pool;
}

Pools::Entry Pools::make(const config::Destination& destination) {
  upstream::PoolOptions options = destination::pool_options(destination, book_.config().hostname);
  options.limit = connection_share(destination.max_connections, mail::DestinationState::kUp, workers_);
  const std::string name = destination.name;
  upstream::PoolCallbacks callbacks{
      .usable = [this, name](const upstream::ServerName& server) { return book_.usable(name, server, base::wall_now()); },
      .report = [this, name](const upstream::Observation& seen) { prober_.observed(name, seen); }};
  auto pool = destination.mx
                  ? destination::mx_pool(loop_, resolver_, routes_, destination, std::move(options), std::move(callbacks))
                  : std::make_shared<upstream::Pool>(loop_, resolver_, std::move(options), std::move(callbacks));
  return {.pool = std::move(pool), .max_connections = destination.max_connections};
}

void Pools::reload(const config::ConfigPtr& config) {
  routes_->reload(config);
  std::erase_if(pools_, [&](const auto& item) {
    const auto* destination = config->find_destination(item.first);
    return destination == nullptr || destination->max_connections != item.second.max_connections ||
           !destination::fits(item.second.pool->options(), *destination, config->hostname);
  });
}

}  // namespace holdfast::smtpd
