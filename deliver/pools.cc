#include "deliver/pools.h"

#include <algorithm>

#include "common/destination/mx_pool.h"
#include "common/destination/pool_options.h"

namespace holdfast::deliver {
namespace {

constexpr net::Millis kLookEvery{10'000};

}  // namespace

Pools::Pools(net::Loop& loop, config::ConfigPtr config, std::shared_ptr<destination::MxRoutes> routes,
             storage::DirectoryReader& directory, Report report)
    : loop_(loop),
      config_(std::move(config)),
      routes_(std::move(routes)),
      report_(std::move(report)),
      resolver_(loop),
      directory_(directory),
      lower_(loop, [this] { lower_limits(); }) {
  lower_.every(kLookEvery);
}

std::shared_ptr<upstream::Pool> Pools::job_begun(const std::string& destination) {
  const config::Destination* wanted = config_->find_destination(destination);
  if (wanted == nullptr) return nullptr;
  Entry& entry = entries_[destination];
  if (entry.pool == nullptr) entry.pool = make(*wanted);
  entry.most = std::max(entry.most, ++entry.jobs);
  if (entry.jobs > entry.pool->options().limit) entry.pool->set_limit(entry.jobs);
  return entry.pool;
}

void Pools::job_ended(const std::string& destination) {
  const auto at = entries_.find(destination);
  if (at != entries_.end()) --at->second.jobs;
}

void Pools::forgive(std::string_view destination) {
  const auto at = entries_.find(destination);
  if (at != entries_.end() && at->second.pool) at->second.pool->forgive();
}

void Pools::reload(config::ConfigPtr config) {
  config_ = std::move(config);
  for (auto& [name, entry] : entries_) {
    const config::Destination* wanted = config_->find_destination(name);
    if (entry.pool && (wanted == nullptr || !destination::fits(entry.pool->options(), *wanted, config_->hostname))) {
      entry.pool = nullptr;
    }
  }
}

void Pools::lower_limits() {
  for (auto& [name, entry] : entries_) {
    if (entry.pool) entry.pool->set_limit(std::max(1, entry.most));
    entry.most = entry.jobs;
  }
}

// No breaker: whether a destination is tried at all is qmgr's decision.
std::shared_ptr<upstream::Pool> Pools::make(const config::Destination& destination) {
  upstream::PoolOptions options = destination::pool_options(destination, config_->hostname);
  options.breaker = net::Millis{0};
  const std::string name = destination.name;
  upstream::PoolCallbacks callbacks{
      .usable = [this, name](const upstream::ServerName& server) { return usable(name, server); },
      .report = [this, name](const upstream::Observation& seen) { report_(name, seen); }};
  if (destination.mx) {
    return destination::mx_pool(loop_, resolver_, routes_, destination, std::move(options), std::move(callbacks));
  }
  return std::make_shared<upstream::Pool>(loop_, resolver_, std::move(options), std::move(callbacks));
}

bool Pools::usable(const std::string& destination, const upstream::ServerName& server) {
  const config::Destination* settings = config_->find_destination(destination);
  return settings == nullptr ||
         destination::usable(directory_.destination(destination), *settings, server, base::wall_now());
}

}  // namespace holdfast::deliver
