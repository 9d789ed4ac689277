// All about one destination: its health, the probes of its servers, the recipients to ask about. The pure
// parts decide; this moves their answers to the directory and to the other daemons. A state is committed
// before anybody is told of it. Belongs to the loop's thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/destination/mx_routes.h"
#include "common/ipc/messages.h"
#include "common/net/loop.h"
#include "common/net/resolver.h"
#include "prober/destination_health.h"
#include "prober/probe_schedule.h"
#include "prober/server_probe.h"
#include "prober/store.h"
#include "prober/suspicions.h"

namespace holdfast::prober {

// What the destinations share; outlives them.
struct Shared {
  net::Loop& loop;
  net::Resolver& resolver;
  Store& store;
  std::string token;
  config::ConfigPtr config;  // replaced at a reload
  std::function<void(const ipc::Destination&)> publish;
  std::shared_ptr<destination::MxRoutes> routes{};  // for destinations by MX; null: there are none
};

Now present(const net::Loop& loop);
DestinationHealth::Settings health_settings(const config::Destination& destination, std::vector<std::string> servers);

class Monitor : private ServerProbe::Owner {
 public:
  // `row`: what the directory remembers. The first probes begin after `first`.
  Monitor(Shared& shared, std::string name, const std::optional<storage::DestinationRow>& row, base::Millis first);
  ~Monitor() override;

  // shared.config has changed; the destination is still in it.
  void configure();

  // The directory cannot be written: what waits for its commit is told all the same. A drain may be what
  // frees the disk; a state that is lost in a crash is found again by the next probes.
  void store_failing();

  // The destination is gone from the configuration: answers those who wait for a probe of it.
  void abandon();

  // Reports of the other daemons.
  void fact(const ipc::Fact& fact);
  void drain_report(const ipc::DrainReport& report);
  void refused(const ipc::RefusedKnown& refusal);
  void look();  // ProbeNow
  // Accepted in a client's session. True: it was under suspicion, so write it down at once.
  bool accepted(const std::string& key);
  void restore_suspicion(const std::string& key, base::Wall refused);

  // The admin's word. Each `done` runs once, when it is committed; for probe() when every server's probe
  // has ended.
  void probe(std::function<void()> done);
  void pause(std::string reason, std::string by, std::optional<base::Wall> until, std::function<void()> done);
  void resume(std::function<void()> done);
  void force(bool up, std::string_view by, std::function<void()> done);
  void unforce(std::function<void()> done);
  bool paused() const { return health_.state() == DestinationState::kPaused; }

  const std::string& name() const { return name_; }
  // As last told; nothing until the first commit of a destination that is new.
  const std::optional<ipc::Destination>& published() const { return published_; }
  storage::DestinationRow row() const;
  std::int64_t downtime_ms() const;
  std::size_t suspects() const { return suspicions_.size(); }

 private:
  struct Server {
    Server(config::HostPort at, ProbeSchedule when, std::string called = {})
        : where(std::move(at)), schedule(when), name(std::move(called)) {}
    config::HostPort where;
    ProbeSchedule schedule;
    std::unique_ptr<ServerProbe> probe;
    std::vector<std::string> addresses;
    std::uint64_t begun = 0, ended = 0;
    std::string name;  // for TLS; empty: as `where`
    std::shared_ptr<const upstream::Security> security;  // of this one alone (DANE); null: the destination's
  };
  struct Waiter {
    std::map<std::string, std::uint64_t> wanted;  // server: the number of ended probes to wait for
    std::function<void()> done;
  };

  void on_resolved(const std::string& server, const std::vector<std::string>& addresses) override;
  void on_unresolved(const std::string& server, const std::string& reason) override;
  std::vector<Ask> on_verdict(const std::string& server, const std::string& address, const Verdict& verdict) override;
  void on_answers(const std::string& server, const std::vector<Asked>& answers) override;
  void on_probed(const std::string& server) override;

  void act(std::function<void()> done = {});  // after any evidence: decide, write, schedule
  void write(bool publish, std::function<void()> done);
  void submit_row();
  void row_committed(const std::optional<ipc::Destination>& told);
  void tell(const ipc::Destination& told);
  void doubt_local(const ipc::RefusedKnown& refusal);
  void wake();
  void schedule_wake();
  void begin_probe(const std::string& name, Server& server);
  void begin_probes();
  void finish_waiters();

  // Servers by MX (monitor_route.cc). While there are none a single one stands for the lookup.
  bool any_due() const;
  void look_up();
  void on_route(const destination::Route& route);
  void probe_lookup(const std::string& reason);
  void use_servers(std::vector<Server> servers);
  void keep_servers();
  std::string lookup_name() const;
  std::vector<std::string> server_texts(const std::optional<storage::DestinationRow>& row) const;

  std::vector<Ask> gather_asks(const std::string& server);
  void add_known(std::vector<Ask>& asks, bool sample_anyway);
  void add_local(std::vector<Ask>& asks);
  void add_catch_all(std::vector<Ask>& asks);
  void judge_local(const Asked& asked);
  void judge_catch_all_answer(const Asked& asked);
  void judge_known(const std::string& server, const std::vector<Answer>& answers);
  void keep_findings(const Findings& findings);
  bool can_ask() const;  // a server may answer
  bool more_to_ask() const;
  std::vector<std::string> domains() const;
  const config::Destination& settings() const;

  Shared& shared_;
  const std::string name_;
  std::shared_ptr<const upstream::Security> security_;
  DestinationHealth health_;
  std::map<std::string, Server> servers_;
  Suspicions suspicions_;
  std::map<std::string, std::string> local_doubts_;  // local recipients that were refused: key and address
  std::map<std::string, base::Mono> local_asked_;    // when last
  std::deque<std::string> recent_;                   // accepted lately
  std::map<std::string, base::Mono> catch_all_tried_;
  bool looking_up_ = false;
  std::shared_ptr<const dns::MailRoute> route_;  // that the servers are from
  bool asking_ = false;  // a session asks about recipients
  bool all_asked_ = false, catch_all_left_ = false, postmaster_accepted_ = false;
  mail::Capabilities capabilities_;
  base::Wall last_probe_;
  storage::DestinationRow written_;  // as last submitted
  bool ever_written_ = false;
  bool writing_ = false;                      // a row is on its way: never more than one
  bool dirty_ = false, news_ = false;         // there is more to write; to tell
  std::vector<std::function<void()>> dones_;  // to be called when that is committed
  bool announced_ = false;                    // a publication has been asked for
  std::optional<ipc::Destination> published_;
  std::vector<Waiter> waiters_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  net::Timer wake_;
};

}  // namespace holdfast::prober
