// Pools of connections to the mail servers of single domains, for mail to anywhere (bounces). Their number is
// bounded: those without a job go, longest unused first. The prober knows nothing of these servers.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/config/config.h"
#include "common/destination/mx_routes.h"
#include "common/net/loop.h"
#include "common/net/resolver.h"
#include "common/upstream/pool.h"

namespace holdfast::deliver {

inline constexpr std::size_t kMostIdlePools = 50;

class MxPools {
 public:
  MxPools(net::Loop& loop, config::ConfigPtr config, std::shared_ptr<destination::MxRoutes> routes);

  using Found = std::function<void(std::expected<std::shared_ptr<upstream::Pool>, dns::Refusal>)>;
  // For one job more. Calls back once, never inside this call, and not after this object's end; pairs with
  // job_ended(), whatever was found.
  void find(const config::Destination& destination, const std::string& domain, Found found);
  void job_ended(const std::string& destination, const std::string& domain);

  // A pool ends with its last job. The routes are reloaded by their owner, first.
  void reload(config::ConfigPtr config);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::shared_ptr<const dns::MailRoute> route;  // that `pool` was made for
    std::shared_ptr<upstream::Pool> pool;         // null: not looked up
    base::Mono last_used{};
    int jobs = 0;
  };
  using Key = std::pair<std::string, std::string>;  // destination, domain

  std::expected<std::shared_ptr<upstream::Pool>, dns::Refusal> looked_up(const Key& key, const destination::Route& route);
  std::shared_ptr<upstream::Pool> make_pool(const config::Destination& destination, const std::string& domain,
                                            const dns::MailRoute& route);
  void forget_some();

  net::Loop& loop_;
  config::ConfigPtr config_;
  std::shared_ptr<destination::MxRoutes> routes_;
  net::Resolver literals_;  // servers are given by their addresses
  std::map<Key, Entry> entries_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::deliver
