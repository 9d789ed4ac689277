// Works through the debts of the index (table `owed`): at the start, when something was added, and again
// after a while when the disk took nothing. A bounded number an operation, so that a burst of refusals does not
// hold up other commits. Lives on the loop; the work is report_writer.h's, on the index writer's thread.
#pragma once

#include <cstdint>
#include <functional>
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
  struct Counts {                                   // since the start
    std::uint64_t written = 0, delays = 0, suppressed = 0;
  };

  Bouncer(net::Loop& loop, storage::QueueIndex& index, storage::BatchWriter& writer, ReportWriter& reports,
          config::ConfigPtr config, Hooks hooks);
  void configure(config::ConfigPtr config) { config_ = std::move(config); }
  void stop() { stopping_ = true; }  // nothing new is begun

  // A debt may have been put: called after commits, cheap when there is none.
  void look();
  // Logs, counts and passes on what an operation of ours, or of the deadlines (delay notices), has come to.
  void committed(const Told& told);

  const Counts& counts() const { return counts_; }

 private:
  using Paid = std::vector<Told>;
  void pay(std::vector<mail::QueueId> ids);
  void paid(const Paid& paid);

  storage::QueueIndex& index_;
  storage::BatchWriter& writer_;
  ReportWriter& reports_;
  config::ConfigPtr config_;
  const Hooks hooks_;
  Counts counts_;
  storage::ReadTxn read_;
  net::Timer again_;           // runs while debts are postponed
  bool working_ = false, postponed_ = false, stopping_ = false;
};

}  // namespace holdfast::qmgr
