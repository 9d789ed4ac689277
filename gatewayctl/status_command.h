// gatewayctl status, version, restart NAME, log level.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_status_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
