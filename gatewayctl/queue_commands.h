// gatewayctl queue …, mailq, postqueue, postsuper.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_queue_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
