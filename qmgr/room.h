// Tells every smtpd how much more may be kept (ipc::QueueRoom): at its hello, and whenever a commit or a reload has
// changed it. Costs a look at the counters of what has a quota.
#pragma once

#include <map>
#include <set>
#include <string>

#include "common/base/time.h"
#include "common/config/config.h"
#include "common/ipc/channel.h"
#include "common/ipc/messages.h"
#include "common/storage/queue_index.h"

namespace holdfast::qmgr {

// What is left of every quota there is. While the index is nearly full nothing is left of the queue as a whole.
ipc::QueueRoom room_left(const storage::QueueIndex& index, const storage::Txn& txn, const config::Config& config);

class Room {
 public:
  Room(storage::QueueIndex& index, config::ConfigPtr config);

  void configure(config::ConfigPtr config);
  void joined(ipc::Channel& smtpd);
  void gone(ipc::Channel& smtpd) {
    smtpds_.erase(&smtpd);
    behind_.erase(&smtpd);
  }
  // After a commit.
  void look();
  // Now and then, for what could not be told at once, and for the event that there is room again: there must have
  // been some for a while, lest a queue at the brink make a stream of events.
  void tick(base::Mono now);
  static constexpr base::Seconds kCalm{10};

 private:
  void tell();
  void note_full();

  storage::QueueIndex& index_;
  config::ConfigPtr config_;
  storage::ReadTxn read_;
  std::set<ipc::Channel*> smtpds_;
  std::set<ipc::Channel*> behind_;  // these do not read: they hear the newest when they do
  ipc::QueueRoom told_;
  std::set<std::string> full_now_;
  std::map<std::string, base::Mono> full_;  // names there was an event for; when they were last full
};

}  // namespace holdfast::qmgr
