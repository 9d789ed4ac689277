// gatewayctl quarantine: list, release, delete.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_quarantine_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
