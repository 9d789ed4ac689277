// What qmgr hears from prober and tells it. While prober is dead the directory's last word counts, and a
// state that is older than three probe intervals is tried as up.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/config/config.h"
#include "common/ipc/channel.h"
#include "common/net/loop.h"
#include "common/storage/directory.h"

namespace holdfast::qmgr {

class ProberLink final : public ipc::ChannelHandler {
 public:
  struct Hooks {
    std::function<void(const ipc::Destination&)> state;
    std::function<void()> connected;   // what was told before may not have arrived
  };
  ProberLink(net::Loop& loop, const std::string& socket, ipc::Hello self, config::ConfigPtr config, Hooks hooks);
  void start();
  void configure(config::ConfigPtr config);

  // False: prober is not there.
  template <class M>
  bool tell(const M& message) { return client_.send(message); }

  // Known to be valid: configured, or in the directory. A domain of which the directory knows nobody any
  // more (a long outage) is trusted in what was known when its mail was accepted.
  bool still_known(std::string_view address, std::string_view destination);

 private:
  void on_peer(ipc::Channel& channel) override;
  bool on_message(ipc::Channel& from, const ipc::Incoming& message) override;
  void on_gone(ipc::Channel& channel) override;
  void read_directory();

  net::Loop& loop_;
  config::ConfigPtr config_;
  const Hooks hooks_;
  storage::DirectoryReader directory_;
  ipc::Client client_;
  net::Timer poll_;
};

}  // namespace holdfast::qmgr
