// The prober: finds out whether destinations are up, and is the sole writer of the directory (design.md
// section 3). Other daemons report to it on prober.sock and are told of every change.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/daemon/daemon.h"
#include "common/ipc/channel.h"
#include "common/net/resolver.h"
#include "prober/control.h"
#include "prober/learner.h"
#include "prober/monitor.h"
#include "prober/store.h"

namespace holdfast::prober {

base::Result<std::unique_ptr<daemon::Service>> start(daemon::Context& context);

class Service : public daemon::Service, private ipc::ChannelHandler {
 public:
  Service(daemon::Context& context, std::unique_ptr<Store> store, std::string token);
  ~Service() override;
  base::Status listen();

  void reload(config::ConfigPtr config) override;

 private:
  void on_peer(ipc::Channel& peer) override;
  bool on_message(ipc::Channel& from, const ipc::Incoming& message) override;
  void on_gone(ipc::Channel& peer) override;

  void control(ipc::Channel& from, const ipc::Control& question);
  void add_monitors();
  void drop_unknown_rows();
  void restore_suspicions(std::string after);
  Monitor* monitor(std::string_view name);

  std::unique_ptr<Store> store_;
  net::Resolver resolver_;
  Shared shared_;
  Monitors monitors_;
  Learner learner_;
  ControlDesk desk_;
  net::Timer expiry_;
  // Channels by a number of their own: an answer that comes late finds its asker, or nobody.
  std::map<ipc::Channel*, std::uint64_t> peers_;
  std::uint64_t next_peer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  ipc::Server server_;
};

}  // namespace holdfast::prober
