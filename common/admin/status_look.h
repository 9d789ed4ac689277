// The situation, gathered.
#pragma once

#include "common/admin/gateway.h"
#include "common/admin/status_report.h"

namespace holdfast::admin {

// Looks at daemons, directory, index and disk; what does not answer is left unknown. Waits up to 2 s for each daemon.
Status gather(Gateway& gateway);

}  // namespace holdfast::admin
