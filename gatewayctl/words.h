// What options take, where CLI11's own idea would do harm.
#pragma once

#include <CLI/Validators.hpp>

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

// A number of 0 or more: CLI11 makes a great one of -1.
const CLI::Validator& counting();

// Something: an empty filter, which a script's empty variable makes, would choose everything, and an empty --for for ever.
const CLI::Validator& something();

// -v, which Postfix hands say and which does nothing here.
void take_verbose(CLI::App& command);

}  // namespace holdfast::gatewayctl
