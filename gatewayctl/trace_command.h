// gatewayctl trace: what the logs say of a message, an address or a message-id.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_trace_command(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
