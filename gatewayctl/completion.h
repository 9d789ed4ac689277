// Completion of gatewayctl's words in the shell, from the tables that read them.
#pragma once

#include <string>

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

// A file for /usr/share/bash-completion/completions: needs bash alone.
std::string bash_completion(const CLI::App& app);

void add_completion_command(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
