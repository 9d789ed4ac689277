// gatewayctl status, version, restart NAME, log level.
#pragma once

#include "gatewayctl/gateway.h"
#include "gatewayctl/status_report.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

// Looks at daemons, directory, index and disk; what does not answer is left unknown.
Status gather(Gateway& gateway);

void add_status_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
