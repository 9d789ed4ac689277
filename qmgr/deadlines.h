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
#include "qmgr/bouncer.h"
#include "qmgr/clock_watch.h"
#include "qmgr/lifetime.h"
#include "qmgr/report_writer.h"

namespace holdfast::qmgr {

class Deadlines {
 public:
  struct Hooks {
    // False while the message is handed out, its outcome uncommitted included; else it is not handed out until
    // it is unclaimed.
    std::function<bool(mail::QueueId)> claim;
    std::function<void(mail::QueueId)> unclaim;
    std::function<void(const Told&)> told;                 // a delay notice, once it is committed
    std::function<void()> replanned;                       // due times have moved
  };
  struct Parts {
    net::Loop& loop;
    storage::QueueIndex& index;
    storage::BatchWriter& writer;
    ReportWriter& reports;
  };
  Deadlines(Parts parts, config::ConfigPtr config, Hooks hooks);

  // At the start and at each reload. Deadlines of messages whose destination has another lifetime or delay
  // warning than before are planned anew, a page at a time.
  void configure(config::ConfigPtr config);
  // Something was committed, or has landed: there may be an earlier deadline. Cheap.
  void look();

 private:
  struct Page;
  void work();
  void submit(std::vector<mail::QueueId> ids);
  void committed(const std::shared_ptr<Page>& page);
  void log(mail::QueueId id, const storage::MessageRow& row, Due due) const;
  void set_timer();
  void watch_clock();
  void replan_next();
  void replan_page(const std::string& destination, storage::QueueIndex::Place behind);
  void cap_waits();
  void tell_of_oldest();

  Parts parts_;
  config::ConfigPtr config_;
  const Hooks hooks_;
  ClockWatch clock_;
  storage::ReadTxn read_;
  net::Timer timer_, tick_;
  std::map<std::string, base::Mono> told_;     // of the event `mail_expires_soon`: once a day
  std::vector<std::string> to_replan_;
  bool working_ = false, replanning_ = false, capping_ = false, looking_ = false;
};

}  // namespace holdfast::qmgr
