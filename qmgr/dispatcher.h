// Brings together lanes, index, delivers and prober: loads what is due, hands out jobs fairly between
// destinations, and turns outcomes into changes of the index. The rules are in lane.h and
// outcome_effect.h; here is only who tells whom, and when.
//
// A message is out of the window from the moment it is handed out until its outcome is committed (flights.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/ipc/messages.h"
#include "common/net/loop.h"
#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"
#include "qmgr/couriers.h"
#include "qmgr/flights.h"
#include "qmgr/index_segment.h"
#include "qmgr/jobs.h"
#include "qmgr/lane.h"
#include "qmgr/outcome_effect.h"
#include "qmgr/prober_link.h"
#include "qmgr/road.h"

namespace holdfast::qmgr {

class Dispatcher {
 public:
  struct Parts {
    net::Loop& loop;
    storage::QueueIndex& index;
    storage::BatchWriter& writer;
    Couriers& couriers;
    ProberLink& prober;
    ReportWriter& reports;
    std::function<void(const Told&)> told;  // a sender was told of a success
  };
  Dispatcher(Parts parts, config::ConfigPtr config);

  void configure(config::ConfigPtr config);
  void destination_state(const ipc::Destination& told);
  void prober_connected();
  void indexed(const IndexedStep& step);
  void outcome(std::uint32_t worker, const ipc::Outcome& outcome);
  void running(const ipc::RunningJob& job);
  void jobs_lost(const std::vector<mail::QueueId>& ids);
  // While commits fail no job is handed out.
  void commits_work(bool work);
  // The admin has changed messages: windows are loaded anew.
  void queue_changed();
  void probe_soon(const std::string& destination);
  // A message is in the queue now: indexed, or a report of our own.
  void queued(const NewMessage& message);
  // While claimed a message is not handed out; false while it is handed out, its outcome uncommitted included.
  bool claim(mail::QueueId id);
  void unclaim(mail::QueueId id);
  // Soon, once, however often it is asked for.
  void pump();
  // No more jobs; `idle` is called once when nothing runs and all is committed.
  void stop(std::function<void()> idle);
  void check_idle();

  struct LaneReport {
    std::string name, state, phase, reason;
    std::size_t active = 0, limit = 0;
  };
  std::vector<LaneReport> lanes() const;
  std::vector<mail::QueueId> active() const { return flights_.under_way(); }
  bool commits_work() const { return commits_work_; }

 private:
  static constexpr base::Millis kDrainedAgain{2'000};  // until the prober has taken it in

  Road& add_road(const config::Destination& destination);
  Road* road(const std::string& name);
  void pump_now();
  void tend(const std::string& name, Road& road, base::Mono now);
  bool load(const std::string& name, Road& road);
  bool hand_out_one(const std::string& name, Road& road, base::Mono now);
  std::optional<Handing> make(const std::string& name, const Lane::Pick& pick);
  void settle(const std::vector<Settled>& settled);
  void commit(mail::QueueId id, Treatment how);
  void landed(mail::QueueId id);
  void end_flight(mail::QueueId id);
  Ruling ruling(const Flight& flight, Treatment how);
  void look_again(const std::string& destination, std::int64_t arrival_ms, mail::QueueId id);
  void tell_refused(const ipc::Outcome& outcome, const Assessment& assessment, const Flight& flight);
  void report(const std::string& name, Road& road, base::Mono now);
  void tell(const std::string& name, const Road& road, ipc::DrainEvent event, const std::string& reason);
  void set_timer(base::Mono now);
  static Lane::Limits limits(const config::Destination& destination);

  Parts parts_;
  config::ConfigPtr config_;
  std::map<std::string, Road> roads_;
  Flights flights_;
  std::set<mail::QueueId> claimed_;
  storage::ReadTxn read_;
  net::Timer timer_;
  std::string last_served_;
  bool commits_work_ = true, pumping_ = false, more_to_load_ = false;
  std::function<void()> idle_;
  bool stopping_ = false;
};

}  // namespace holdfast::qmgr
