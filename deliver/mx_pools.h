// Pools of connections to the mail servers of single domains, for a destination whose servers are the
// recipient domain's MX. The servers are looked up when a domain's first job comes, and again when the
// answer's time to live is over. Their number is bounded: those without a job go, longest unused first.
//
// Servers are tried in the order of the MX, at most kMostServers; the prober knows nothing of them.
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
#include "common/dns/mail_servers.h"
#include "common/net/loop.h"
#include "common/net/resolver.h"
#include "common/upstream/pool.h"

namespace holdfast::deliver {

inline constexpr std::size_t kMostIdlePools = 50;

class MxPools {
 public:
  MxPools(net::Loop& loop, config::ConfigPtr config);

  using Found = std::function<void(std::expected<std::shared_ptr<upstream::Pool>, dns::Refusal>)>;
  // For one job more. Calls back once, never inside this call, and not after this object's end; pairs with
  // job_ended(), whatever was found.
  void find(const config::Destination& destination, const std::string& domain, Found found);
  void job_ended(const std::string& destination, const std::string& domain);

  // The name servers are read anew; lookups under way begin again; a pool ends with its last job.
  void reload(config::ConfigPtr config);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::shared_ptr<upstream::Pool> pool;  // null: not looked up, or too long ago
    base::Mono good_until{}, last_used{};
    int jobs = 0;
    std::vector<Found> waiting;  // while it is looked up
  };
  using Key = std::pair<std::string, std::string>;  // destination, domain

  std::unique_ptr<dns::MailServers> make_servers() const;
  void look_up(const Key& key);
  void looked_up(const Key& key, const std::expected<dns::MailRoute, dns::Refusal>& route);
  std::shared_ptr<upstream::Pool> make_pool(const config::Destination& destination, const dns::MailRoute& route);
  void forget_some();

  net::Loop& loop_;
  config::ConfigPtr config_;
  net::Resolver literals_;  // servers are given by their addresses
  std::map<Key, Entry> entries_;
  std::uint64_t round_ = 0;  // of reloads: an answer to an older question counts no more
  std::unique_ptr<dns::MailServers> servers_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::deliver
