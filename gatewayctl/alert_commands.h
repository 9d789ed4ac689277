// gatewayctl alert list, test, ack, silence, unsilence, reference.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_alert_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
