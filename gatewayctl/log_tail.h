// gatewayctl log tail: the last lines of the daemons' logs, and what is added to them.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_log_tail(CLI::App& log, Invocation& invocation);

}  // namespace holdfast::gatewayctl
