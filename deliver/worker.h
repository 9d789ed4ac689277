// The deliver daemon: takes jobs from qmgr, runs a Delivery for each, and keeps every outcome until qmgr
// has committed it. With qmgr dead it finishes what it runs and keeps its outcomes; with prober dead its
// facts are dropped.
//
// While it lives it holds the lock on run/deliver.N.lock: by this a restarted qmgr knows whose hello it
// has to wait for.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "common/base/file.h"
#include "common/daemon/daemon.h"
#include "common/ipc/channel.h"
#include "common/storage/directory.h"
#include "deliver/delivery.h"
#include "deliver/ledger.h"
#include "deliver/mx_pools.h"
#include "deliver/pools.h"

namespace holdfast::deliver {

class Worker final : public daemon::Service {
 public:
  static base::Result<std::unique_ptr<daemon::Service>> start(daemon::Context& context);
  Worker(daemon::Context& context, base::UniqueFd lock);
  ~Worker() override;

  void reload(config::ConfigPtr config) override;
  // Jobs that have not begun are left to the next deliver; the others are finished, and their outcomes
  // waited for as long as qmgr is there to commit them. One that has died is given 3 s to be there again: without what
  // it would hear from us it hands the same mail over a second time.
  void drain(std::function<void()> done) override;

 private:
  // Messages of one peer.
  class Link : public ipc::ChannelHandler {
   public:
    explicit Link(Worker& worker) : worker_(worker) {}

   protected:
    Worker& worker_;
  };
  class FromQmgr;
  class FromProber;
  struct Running {
    base::Wall since{};
    std::uint32_t attempt = 0;
    bool by_mx = false;                  // whose pools it counts in, whatever a reload says since
    std::unique_ptr<Delivery> delivery;  // null while the servers are looked up
  };

  void on_job(ipc::Job job);
  void find_servers(const config::Destination& destination, ipc::Job job);
  void hand_over(ipc::Job job, std::shared_ptr<upstream::Pool> pool);
  void on_done(Delivery& delivery);
  void tell(const ipc::Outcome& outcome);
  void refuse(const ipc::Job& job, const OutcomeBuilder& builder);
  void drained();
  void report(const std::string& destination, const upstream::Observation& seen);
  bool bypassed_by_hand(const config::Domain& domain);
  base::Result<storage::Record> open_record(const ipc::Job& job) const;

  net::Loop& loop_;
  config::ConfigPtr config_;
  const base::UniqueFd lock_;
  std::shared_ptr<destination::MxRoutes> routes_;
  storage::DirectoryReader directory_;
  Pools pools_;
  MxPools mx_pools_;
  Rescans rescans_;
  Ledger ledger_;
  std::map<std::uint64_t, Running> running_;  // by queue id
  std::function<void()> drained_;
  bool draining_ = false;
  net::Timer qmgr_may_come_;  // waits from drain() on
  std::unique_ptr<Link> from_qmgr_, from_prober_;
  ipc::Client qmgr_, prober_;
};

}  // namespace holdfast::deliver
