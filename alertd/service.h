// alertd: turns what happens into alerts and sends them by roads that do not need the dead server (decision 16). Events
// come from all daemons on alertd.sock, states of destinations from prober, the rest is looked at every 30 s.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "alertd/alert_book.h"
#include "alertd/control.h"
#include "alertd/lookout.h"
#include "alertd/outbox.h"
#include "alertd/roads.h"
#include "alertd/store.h"
#include "common/daemon/daemon.h"
#include "common/ipc/channel.h"

namespace holdfast::alertd {

class Service : public daemon::Service, private ipc::ChannelHandler {
 public:
  // `helper`: of start_command_helper().
  static base::Result<std::unique_ptr<daemon::Service>> start(daemon::Context& context, base::UniqueFd helper);
  Service(daemon::Context& context, std::unique_ptr<Store> store, base::UniqueFd helper);
  ~Service() override;

  void reload(config::ConfigPtr config) override;

 private:
  struct FromProber;

  void restore();
  void configure();
  void on_peer(ipc::Channel& peer) override;
  bool on_message(ipc::Channel& from, const ipc::Incoming& message) override;
  void on_gone(ipc::Channel& peer) override;

  void take(ipc::Channel& from, const ipc::Event& event);
  void apply(const std::string& sender, const ipc::Event& event);
  void destination(const ipc::Destination& told);
  void clear_drains();
  void look();
  void note_held();

  void raise(std::string_view kind, const std::string& subject, std::string cause, std::int64_t since_ms = 0);
  void clear(std::string_view kind, const std::string& subject, std::string ended = {});
  void make_notices(const AlertBook::Moments& moments);
  void forget_what_is_gone();

  void persist();
  Changes gather_changes();
  void pump();
  void send(const std::string& road, const Notice& notice);
  void sent(const std::string& road, std::uint64_t notice, const Answer& answer);

  void control(ipc::Channel& from, const ipc::Control& question);
  void test(const std::string& user, ControlDesk::Reply reply);
  void take_report(const ipc::Control& question, const ControlDesk::Reply& reply);

  net::Loop& loop_;
  config::ConfigPtr config_;
  std::unique_ptr<Store> store_;     // null: it cannot be opened, nothing outlives us
  AlertBook book_;
  Outbox outbox_;
  Lookout lookout_;
  CommandRunner commands_;
  Roads roads_;
  RoadStates road_states_;
  ReportPace report_pace_;
  std::set<std::string> busy_;
  std::map<std::string, ipc::Destination> told_;   // what prober said last of each
  std::map<std::string, Taken> taken_;             // by sender
  std::set<std::string> changed_taken_;
  std::map<std::string, std::uint64_t> dropped_;   // by sender: how many it said it had given up
  std::map<ipc::Channel*, std::uint64_t> peers_;   // numbered: an answer that comes late finds its asker, or nobody
  std::uint64_t next_peer_ = 0;
  ControlDesk desk_;
  net::Timer look_, pump_;
  std::unique_ptr<FromProber> from_prober_;
  ipc::Client prober_;
  ipc::Server server_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::alertd
