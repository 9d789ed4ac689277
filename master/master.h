// The process that starts and supervises all others (design.md section 2).
#pragma once

#include <memory>
#include <string>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/daemon/event_sender.h"
#include "common/ipc/channel.h"
#include "common/net/loop.h"
#include "master/children.h"
#include "master/ground.h"
#include "master/tallies.h"

namespace holdfast::master {

// Loads, prepares and runs until SIGTERM or SIGINT; the exit code. `check`: only says whether the file is good.
int run(const std::string& config_file, bool check);

class Master : public ipc::ChannelHandler {
 public:
  Master(net::Loop& loop, config::Config config, Ground ground);

  base::Status start();

  // ipc::ChannelHandler: gatewayctl's commands.
  bool on_message(ipc::Channel& from, const ipc::Incoming& message) override;

 private:
  ipc::ControlReply answer(const ipc::Control& question);
  ipc::ControlReply status() const;
  ipc::ControlReply statistics() const;
  ipc::ControlReply restart(const ipc::Control& question);
  ipc::ControlReply writer_number();
  ipc::ControlReply set_log_level(const ipc::Control& question);
  ipc::ControlReply reload();

  base::Status adopt(config::Config fresh);
  base::Status write_snapshot(const config::Config& config) const;
  base::Result<Children::Plan> plan(const Child& child);
  void on_all_ready();
  void forget(const Child& child);
  void end();

  net::Loop& loop_;
  config::Config config_;
  Ground ground_;
  Tallies tallies_;
  Children children_;
  ipc::Server control_;
  daemon::EventSender events_;
  net::Signal hangup_, terminate_, interrupt_;
};

}  // namespace holdfast::master
