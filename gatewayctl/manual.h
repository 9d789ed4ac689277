// docs/gatewayctl.md: every command and option, from the tables that read them.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

std::string manual(const CLI::App& app);

void add_manual_command(CLI::App& app);

}  // namespace holdfast::gatewayctl
