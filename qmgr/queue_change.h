// What a command of the admin does to one message: the rules of `queue retry`, `hold`, `release`, … Part of an
// operation of the index's writer.
#pragma once

#include <cstdint>

#include "common/base/error.h"
#include "common/storage/queue_index.h"
#include "qmgr/queue_command.h"

namespace holdfast::qmgr {

enum class Changed : std::uint8_t {
  kYes,
  kNo,          // it is not in a state that this changes, or is that way already, or is gone
  kNullSender,  // cannot be bounced: nobody would hear of it
};

struct ChangeRules {
  std::int64_t now_ms = 0;
  std::int64_t lifetime_ms = 0;        // of mail for the destination that `reroute` gives
  std::int64_t grace_ms = 86'400'000;  // what over-age mail gets that the admin wants tried
};

// True when it must not be done while the message is being handed over: the sender would be told of a failure
// though the recipient gets it, or two would hand it over.
bool needs_claim(QueueVerb verb);

// With `dry_run` nothing is written.
base::Result<Changed> change_message(storage::QueueIndex& index, storage::WriteTxn& txn, mail::QueueId id,
                                     const QueueCommand& command, const ChangeRules& rules);

}  // namespace holdfast::qmgr
