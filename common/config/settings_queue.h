// The settings of the queue and the spool: rows of global_settings().
#pragma once

#include <span>

#include "common/config/settings.h"

namespace holdfast::config {

// Those that begin with "queue.", "spool.", "while_down.", "index.", and `delay_warning`.
std::span<const Setting<Config>> queue_settings();

}  // namespace holdfast::config
