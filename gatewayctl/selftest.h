// gatewayctl selftest: does the gateway keep mail and hand it over? Sends one message the way that mail goes while its
// destination is down, and follows it.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_selftest(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
