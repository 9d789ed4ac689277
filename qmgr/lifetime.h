// How long a message is kept, and what becomes of its row when that is over (design.md section 3, Retries and
// Bounces). Pure: rows in, rows out; times are arguments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/storage/queue_index.h"

namespace holdfast::qmgr {

// Of mail for the destination. One that is not configured (any more) has preset `default`, so that its mail does
// not wait for ever; without an early warning warn_ms is 0.
storage::QueueIndex::Plan plan_of(const config::Config& config, std::string_view destination);

// For a row that goes into the index now: expires_ms, unless an import brought one along (then it is kept, and
// no other schedule changes it), and warn_ms. Needs sender and arrival_ms. Reports of ours too.
//
// Mail that comes long after its arrival (an index was lost, qmgr was dead) may have been delivered, or was never
// tried: it gets a day, so that it is given up after attempts and not in their place, and nobody is warned.
void begin_lifetime(storage::MessageRow& row, const config::Config& config, std::int64_t now_ms);

// No attempts any more until an admin thaws it; deleted after frozen.keep.
void freeze(storage::MessageRow& row, std::string reason, std::int64_t now_ms, const config::Config& config);

// What became of a message whose deadline has come.
enum class Due : std::uint8_t {
  kNothing,   // not yet, or not any more
  kWarn,      // its sender is to be told of the delay; warn_ms = kWarned when that is done
  kExpired,   // its open recipients are kRefused now, and it waits for the report that its sender is owed
  kFrozen,    // likewise, but it has no sender to tell
  kDiscard,   // frozen for too long: to be removed
  kSettled,   // nobody of it is open: only the deadline was in the way
};
Due meet_deadline(storage::MessageRow& row, std::vector<storage::RecipientState>& recipients, std::int64_t now_ms,
                  const config::Config& config);

// Deadlines by another plan, counted from the arrival; doing it again changes nothing. A warning that was given is
// not given again. `made_anew`: the row is of an index that was lost and made from the segments, so that an expiry
// it has comes from its record. False when nothing changes.
bool replan(storage::MessageRow& row, const storage::QueueIndex::Plan& plan, bool made_anew, std::int64_t now_ms);

}  // namespace holdfast::qmgr
