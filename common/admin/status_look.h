// The situation, gathered.
#pragma once

#include <string>
#include <string_view>

#include "common/admin/gateway.h"
#include "common/admin/status_report.h"

namespace holdfast::admin {

// Looks at daemons, directory, index and disk; what does not answer is left unknown. Waits up to 2 s for each daemon.
Status gather(Gateway& gateway);

// A destination's mode_text(), or "queue" for "proxy" where a domain of it is in that mode, or "greylist" where one has greylisting on.
std::string shown_mode(const config::Config& config, std::string_view destination, std::string_view effective_state);

}  // namespace holdfast::admin
