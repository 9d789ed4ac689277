// Tells every smtpd how much more may be kept (ipc::QueueRoom): at its hello, and whenever a commit or a reload has
// changed it. Costs a look at the counters of what has a quota.
#pragma once

#include <set>
#include <string>

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
  void gone(ipc::Channel& smtpd) { smtpds_.erase(&smtpd); }
  // After a commit.
  void look();

 private:
  void note_full();

  storage::QueueIndex& index_;
  config::ConfigPtr config_;
  storage::ReadTxn read_;
  std::set<ipc::Channel*> smtpds_;
  ipc::QueueRoom told_;
  std::set<std::string> full_;  // names there was an event for
};

}  // namespace holdfast::qmgr
