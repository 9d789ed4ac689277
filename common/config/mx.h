// Destinations whose servers are the recipient domain's MX: one is written, and each domain that uses it gets a
// destination of its own (decision 13). "backup" is "backup/example.org" for example.org.
#pragma once

#include "common/config/config.h"

namespace holdfast::config {

// The last step of loading. A destination by MX that no domain uses is none.
void expand_mx(Config& config);

// As the file has it: what expand_mx() made is one again.
Config as_written(const Config& config);

}  // namespace holdfast::config
