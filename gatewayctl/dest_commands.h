// gatewayctl dest …, domain ….
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_dest_commands(CLI::App& app, Invocation& invocation);
void add_domain_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
