// gatewayctl queue import: messages from files into the queue, with the time at which they first arrived.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_import(CLI::App& queue, Invocation& invocation);

}  // namespace holdfast::gatewayctl
