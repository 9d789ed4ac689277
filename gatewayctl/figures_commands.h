// gatewayctl stats, metrics and top: what the daemons count.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_figures_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
