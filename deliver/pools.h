// A pool of connections for each destination that has had a job. qmgr bounds the jobs of all delivers
// together, so a pool's limit follows the number of jobs here: up at once, down when they have been fewer
// for a while.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/config/config.h"
#include "common/destination/mx_routes.h"
#include "common/net/loop.h"
#include "common/net/resolver.h"
#include "common/storage/directory.h"
#include "common/upstream/pool.h"

namespace holdfast::deliver {

class Pools {
 public:
  using Report = std::function<void(const std::string& destination, const upstream::Observation&)>;
  // `directory` outlives this.
  Pools(net::Loop& loop, config::ConfigPtr config, std::shared_ptr<destination::MxRoutes> routes,
        storage::DirectoryReader& directory, Report report);

  // For one job more; null: no such destination. Pairs with job_ended().
  std::shared_ptr<upstream::Pool> job_begun(const std::string& destination);
  void job_ended(const std::string& destination);
  // The prober says that it is back: nothing we remember of its servers holds any more.
  void forgive(std::string_view destination);
  // Pools of destinations that are gone or have changed end with their last job.
  void reload(config::ConfigPtr config);

 private:
  struct Entry {
    std::shared_ptr<upstream::Pool> pool;
    int jobs = 0;
    int most = 0;  // jobs at once since the last look
  };
  std::shared_ptr<upstream::Pool> make(const config::Destination& destination);
  bool usable(const std::string& destination, const upstream::ServerName& server);
  void lower_limits();

  net::Loop& loop_;
  config::ConfigPtr config_;
  std::shared_ptr<destination::MxRoutes> routes_;
  Report report_;
  net::Resolver resolver_;
  storage::DirectoryReader& directory_;
  std::map<std::string, Entry, std::less<>> entries_;
  net::Timer lower_;
};

}  // namespace holdfast::deliver
