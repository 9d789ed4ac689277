// gatewayctl queue export: kept messages into files, for another gateway or a person. The queue is not changed.
#pragma once

#include "gatewayctl/invocation.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_export(CLI::App& queue, Invocation& invocation);

}  // namespace holdfast::gatewayctl
