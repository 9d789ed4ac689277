// gatewayctl queue …, mailq, postqueue.
#pragma once

#include "gatewayctl/gateway.h"
#include "gatewayctl/queue_report.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

// What queue listings need to know besides the index. qmgr and the directory may be out of reach: then less is told.
Moment look(Gateway& gateway);

void add_queue_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
