// Where our own reports to senders go.
#pragma once

#include <string>
#include <string_view>

#include "common/config/config.h"

namespace holdfast::config {

// The road of a report: the destination of the sender's domain if it is ours, else `bounces`.
std::string report_destination(const Config& config, std::string_view sender);

}  // namespace holdfast::config
