// gatewayctl queue retry, hold, release, delete, bounce, thaw, extend, reroute; and postsuper, for Postfix hands.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gatewayctl/invocation.h"
#include "common/admin/queue_filter.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_queue_deeds(CLI::App& queue, Invocation& invocation);
void add_postsuper(CLI::App& app, Invocation& invocation);

// The options of QueueWords that choose messages, with the states that --state takes.
void add_filters(CLI::App& command, const std::shared_ptr<QueueWords>& words, const std::vector<std::string>& states);

// One deed, as if typed: postqueue -f and -i, postsuper.
void run_deed(Invocation& invocation, const std::string& name, const QueueWords& words);

}  // namespace holdfast::gatewayctl
