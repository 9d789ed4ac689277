// gatewayctl alert list, test, ack, silence, unsilence, reference.
#pragma once

#include <optional>
#include <vector>

#include "gatewayctl/gateway.h"
#include "gatewayctl/status_report.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

// Nothing: alertd does not answer.
std::optional<std::vector<AlertLine>> open_alerts(const Gateway& gateway);

void add_alert_commands(CLI::App& app, Invocation& invocation);

}  // namespace holdfast::gatewayctl
