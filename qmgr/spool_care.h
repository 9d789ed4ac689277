// qmgr's care for the room there is: quotas told to smtpd, the ballast, and events when the file system goes under
// the reserve or over it again. On the loop.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/ipc/channel.h"
#include "common/net/loop.h"
#include "common/storage/queue_index.h"
#include "common/storage/space.h"
#include "qmgr/ballast.h"
#include "qmgr/room.h"

namespace holdfast::qmgr {

class SpoolCare {
 public:
  SpoolCare(net::Loop& loop, storage::QueueIndex& index, config::ConfigPtr config);

  void start();
  void configure(config::ConfigPtr config);
  void joined(ipc::Channel& smtpd) { room_.joined(smtpd); }
  void gone(ipc::Channel& smtpd) { room_.gone(smtpd); }
  void committed() { room_.look(); }
  // Commits fail, or work again (nothing).
  void health(const std::optional<base::Error>& error);

 private:
  void look();
  void note_space(bool accepting, base::Mono now);

  net::Loop& loop_;
  storage::SpaceWatch space_;
  Ballast ballast_;
  Room room_;
  net::Timer timer_;
  bool refusing_ = false, failing_ = false;
  base::Mono refused_at_{};  // last seen under the reserve
};

}  // namespace holdfast::qmgr
