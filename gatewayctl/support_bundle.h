// gatewayctl support-bundle: what whoever helps needs to know, in one text that can be read before it is sent.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_support_bundle(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
