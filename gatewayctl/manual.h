// docs/gatewayctl.md and the manual pages: every command and option, from the tables that read them.
#pragma once

#include <string>

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

// docs/gatewayctl.md.
std::string manual(const CLI::App& app);
// The same for gatewayctl(8): without a title, the commands one level lower.
std::string manual_body(const CLI::App& app);

void add_manual_command(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
