// qmgr as a daemon: owns the index and everything that works on it, and its socket.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "common/daemon/daemon.h"
#include "common/ipc/channel.h"
#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"
#include "qmgr/bouncer.h"
#include "qmgr/commands.h"
#include "qmgr/couriers.h"
#include "qmgr/deadlines.h"
#include "qmgr/dispatcher.h"
#include "qmgr/indexer.h"
#include "qmgr/own_spool.h"
#include "qmgr/prober_link.h"
#include "qmgr/reclaimer.h"
#include "qmgr/spool_care.h"
#include "qmgr/report_writer.h"

namespace holdfast::qmgr {

class Qmgr final : public daemon::Service, public ipc::ChannelHandler {
 public:
  static base::Result<std::unique_ptr<daemon::Service>> start(daemon::Context& context);
  Qmgr(daemon::Context& context, base::UniqueFd lock, std::unique_ptr<storage::QueueIndex> index);
  ~Qmgr() override;

  void reload(config::ConfigPtr config) override;
  void drain(std::function<void()> done) override;

 private:
  base::Status open();
  void on_peer(ipc::Channel& channel) override;
  bool on_message(ipc::Channel& from, const ipc::Incoming& message) override;
  void on_gone(ipc::Channel& channel) override;

  storage::BatchWriter::Hooks writer_hooks();
  void health(const std::optional<base::Error>& error);
  void committed();
  void control(ipc::Channel& from, const ipc::Control& control);
  ipc::ControlReply status();
  ipc::ControlReply take_segment(const ipc::Control& asked);
  void plan_new_mail();
  std::optional<base::Seconds> lifetime_of(const std::string& name) const;
  void housekeeping();

  struct Mailbox {
    Qmgr* owner = nullptr;  // null once the Qmgr ends: what the writer's thread posted goes nowhere
  };

  net::Loop& loop_;
  config::ConfigPtr config_;
  std::shared_ptr<Mailbox> mailbox_;
  base::UniqueFd lock_;     // the index is ours
  std::unique_ptr<storage::QueueIndex> index_;
  OwnSpool own_spool_;      // these two are the writer's thread's
  ReportWriter reports_;
  std::unique_ptr<storage::BatchWriter> writer_;
  std::set<const ipc::Channel*> peers_;
  ProberLink prober_;
  Couriers couriers_;
  Dispatcher dispatcher_;
  Bouncer bouncer_;
  Deadlines deadlines_;
  Indexer indexer_;
  Reclaimer reclaimer_;
  SpoolCare spool_care_;
  Commands commands_;
  ipc::Server server_;
  net::Timer housekeeping_, orphans_;
};

}  // namespace holdfast::qmgr
