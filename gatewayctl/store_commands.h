// gatewayctl queue check, queue rebuild: the spool and its index verified, and the index made anew.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_store_commands(CLI::App& queue, Invocation& invocation);

}  // namespace holdfast::gatewayctl
