// The words of a command on the queue, as gatewayctl sends them. Pure.
//
// Words are queue ids, or a filter: --all, --destination X, --domain X, --sender X, --recipient X,
// --state X, --held-by TEXT, --unfiltered; and --dry-run. `extend` needs --by SECONDS or --until EPOCH-SECONDS, `reroute` --to DESTINATION.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/ipc/messages.h"
#include "common/storage/queue_index.h"

namespace holdfast::qmgr {

enum class QueueVerb : std::uint8_t { kRetry, kHold, kRelease, kDelete, kBounce, kThaw, kExtend, kReroute };
std::string_view to_text(QueueVerb verb);

struct QueueCommand {
  QueueVerb verb = QueueVerb::kRetry;
  std::vector<mail::QueueId> ids;  // or else:
  storage::QueueFilter filter;
  bool dry_run = false;
  std::string user;
  std::int64_t by_ms = 0, until_ms = 0;  // of extend: one of the two
  std::string to;                        // of reroute
};

// kUsage when the words mean nothing, or nothing is chosen.
base::Result<QueueCommand> parse_queue_command(const ipc::Control& control);

}  // namespace holdfast::qmgr
