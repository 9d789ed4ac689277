// What happens to messages without an attempt, on time and whatever their destination's state: expiry, delay
// warnings, discarding of frozen ones (design.md section 3, Retries). The rules are in lifetime.h and
// clock_watch.h; here is only who is asked, and when.
//
// There is one timer, for the earliest deadline of the index, and what is due is worked through page by page:
// what is not due costs nothing. A message that is handed out just now is left until its outcome is committed.
// Lives on the loop; changes happen on the index writer's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/net/loop.h"
#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"
#include "qmgr/clock_watch.h"
#include "qmgr/lifetime.h"
#include "qmgr/replanner.h"
#include "qmgr/report_writer.h"

namespace holdfast::qmgr {

class Deadlines {
 public:
  struct Parts {
    net::Loop& loop;
    storage::QueueIndex& index;
    storage::BatchWriter& writer;
    ReportWriter& reports;
  };
  struct Hooks {
    // False while the message may be handed out, its outcome uncommitted included; else it is not handed out
    // until it is unclaimed.
    std::function<bool(mail::QueueId)> claim;
    std::function<void(mail::QueueId)> unclaim;
    std::function<void(const Told&)> told;   // a delay notice, committed
    std::function<void()> changed;           // due times have moved
  };
  Deadlines(Parts parts, config::ConfigPtr config, Hooks hooks);

  // `last_lived`: when the index was last written. If that is long ago the clock is in doubt.
  void start(base::Wall last_lived);
  void configure(config::ConfigPtr config);
  // After commits: there may be an earlier deadline, and who was handed out may be free. Cheap.
  void look();
  void stop();

 private:
  struct Ended {
    mail::QueueId id;
    Due due = Due::kNothing;
    std::string sender, destination, reason;
    Told told;
  };
  using Page = std::vector<Ended>;

  void work();
  std::vector<mail::QueueId> claim_page(std::int64_t now_ms);
  base::Status meet(storage::WriteTxn& txn, mail::QueueId id, std::int64_t now_ms, const config::Config& config,
                    Ended& ended, std::uint64_t& room) const;
  void committed(const Page& page);
  void log(const Ended& ended) const;
  void set_timer();
  void watch_clock(base::Mono now);
  void clock_jumped(base::Millis by);
  void once_a_minute(base::Mono now);
  void tell_of_oldest(const std::string& destination, base::Mono now);

  Parts parts_;
  config::ConfigPtr config_;
  const Hooks hooks_;
  ClockWatch clock_;
  Replanner replanner_;
  storage::ReadTxn read_;
  net::Timer timer_;
  std::map<std::string, base::Mono> told_;   // of mail that expires soon, once a day a destination
  base::Mono last_minute_{}, not_before_{};
  bool working_ = false, started_ = false;
};

}  // namespace holdfast::qmgr
