// Works through the debts of the index (table `owed`): at the start, when something was added, and again
// after a while when the disk took nothing. An operation is bounded by messages and by what it reads of them, so
// that a burst of refusals does not hold up other commits. An original that cannot be read for now stops nobody
// else's report; after an hour it counts as damaged. When a thousand cannot be read it is the disk, and not these:
// then all debts take turns, a few every five seconds. Lives on the loop; the work is report_writer.h's, on the index
// writer's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "common/config/config.h"
#include "common/net/loop.h"
#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"
#include "qmgr/report_writer.h"

namespace holdfast::qmgr {

class Bouncer {
 public:
  struct Hooks {
    std::function<void(const NewMessage&)> queued;  // a report is in the queue
  };

  struct Pace {
    base::Millis later{5'000};         // until what was postponed, or could not be read, is tried again
    base::Millis patience{3'600'000};  // then what cannot be read counts as damaged
  };
  static constexpr std::size_t kMostUnreadable = 1000;

  Bouncer(net::Loop& loop, storage::QueueIndex& index, storage::BatchWriter& writer, ReportWriter& reports,
          config::ConfigPtr config, Hooks hooks, Pace pace);
  Bouncer(net::Loop& loop, storage::QueueIndex& index, storage::BatchWriter& writer, ReportWriter& reports,
          config::ConfigPtr config, Hooks hooks)
      : Bouncer(loop, index, writer, reports, std::move(config), std::move(hooks), Pace{}) {}
  void configure(config::ConfigPtr config) { config_ = std::move(config); }
  void stop() { stopping_ = true; }  // nothing new is begun

  // A debt may have been put: called after commits, cheap when there is none.
  void look();
  // Logs and passes on what an operation of ours, or of the deadlines (delay notices), has come to.
  void committed(const Told& told);

  std::size_t unreadable() const { return unreadable_.size(); }
  bool postponed() const { return postponed_; }

 private:
  using Paid = std::vector<Told>;
  void work(bool all);
  std::vector<mail::QueueId> next_debts(bool all);
  void pay(std::vector<mail::QueueId> ids);
  void paid(const Paid& paid);

  storage::QueueIndex& index_;
  storage::BatchWriter& writer_;
  ReportWriter& reports_;
  config::ConfigPtr config_;
  const Hooks hooks_;
  const Pace pace_;
  storage::ReadTxn read_;
  net::Timer again_;  // runs while debts are postponed
  struct Patience {
    base::Mono since{};
    bool told = false;
  };
  std::map<mail::QueueId, Patience> unreadable_;  // originals that could not be read when last tried, some of them
  mail::QueueId behind_;                          // where the next turn of all debts goes on
  bool working_ = false, postponed_ = false, stopping_ = false;
};

}  // namespace holdfast::qmgr
