// When a destination was in which state, and why, by the prober's log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/admin/log_files.h"
#include "common/base/error.h"

namespace holdfast::admin {

struct StateChange {
  std::int64_t when_s = 0;
  std::string state, was, reason;
};

// The change that a line of the log tells of this destination; nothing else has a value. `latest_s` as in log_time().
// Pure.
std::optional<StateChange> state_change(std::string_view line, std::string_view destination, std::int64_t latest_s);

// The same of whichever destination it tells of, with its name.
struct NamedChange {
  std::string destination;
  StateChange change;
};
std::optional<NamedChange> any_state_change(std::string_view line, std::int64_t latest_s);

// The oldest first, as far as the logs go back, at most the newest `most`. kTemporary when `go_on` says no.
base::Result<std::vector<StateChange>> destination_history(const std::string& log_folder, std::string_view destination,
                                                           std::size_t most, const GoOn& go_on = always);

// A table with how long each state lasted, the last one until `now_s`; and one object a line:
// {"time", "state", "was", "seconds", "reason"}. Pure.
std::string history_text(const std::vector<StateChange>& changes, std::int64_t now_s);
std::string history_lines_json(const std::vector<StateChange>& changes, std::int64_t now_s);

}  // namespace holdfast::admin
