// A moment as an admin types it. Pure, but for the time zone.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/error.h"

namespace holdfast::admin {

// Seconds since the epoch: "2026-11-25", "2026-11-25T10:00", "2026-11-25 10:00:30" in local time; with a Z behind it
// UTC. kUsage for anything else, and for days that no calendar has.
base::Result<std::int64_t> parse_when(std::string_view text);

}  // namespace holdfast::admin
