// gatewayctl filter: list, test, bypass.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_filter_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
