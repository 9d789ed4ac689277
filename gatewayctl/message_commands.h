// gatewayctl queue show, queue cat: one message.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_message_commands(CLI::App& queue, Invocation& invocation);

}  // namespace holdfast::gatewayctl
