// gatewayctl report.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_report_command(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
