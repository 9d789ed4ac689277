// Mail that a filter has had held, when it came or when it was looked at later: the reason says so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/admin/gateway.h"
#include "common/admin/queue_run.h"

namespace holdfast::admin {

// Held by a filter's word, and not by an admin or for another reason.
bool is_quarantined(const storage::MessageRow& row);

struct QuarantineGroup {
  std::string reason;
  std::uint64_t messages = 0, bytes = 0;
  std::int64_t oldest_ms = 0, newest_ms = 0;
};
struct Quarantine {
  std::vector<QuarantineGroup> groups;  // the most messages first
  bool complete = true;                 // false: the search took longer than it may
};

// The queue is walked: as long as there is held mail that was not met.
base::Result<Quarantine> look_at_quarantine(Gateway& gateway, base::Millis budget);
// Its messages with `reason` in their reason (any case; "": all), oldest first.
base::Result<std::vector<storage::Listed>> quarantined(Gateway& gateway, const std::string& reason, std::size_t most, base::Millis budget);

std::string quarantine_text(const Quarantine& quarantine, std::int64_t now_ms);
std::string group_json(const QuarantineGroup& group);
std::string quarantine_lines(const Quarantine& quarantine);

// What an admin wants done with some of it.
struct QuarantineWish {
  std::vector<std::string> ids;
  std::string reason;
  bool all = false, allow = false, dry_run = false, yes = false;
};
struct QuarantineDone {
  DeedOutcome outcome;
  std::vector<std::string> senders;  // that are on the allow list now, each once
  std::size_t newly_allowed = 0;
};

// `deed`: "release" or "delete". kUsage when nothing is chosen, or both ids and a reason; kNotFound for an id that is not in
// quarantine; kData for a sender that cannot be allowed: nothing is done then. Allows first, and has master put the list into
// force. `user` is written into the list. Blocks.
base::Status run_quarantine(Gateway& gateway, const std::string& deed, const QuarantineWish& wish, const std::string& user, QuarantineDone& done);

}  // namespace holdfast::admin
