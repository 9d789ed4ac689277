#include "alertd/command_helper.h"
#include "alertd/service.h"
#include "common/daemon/arguments.h"
#include "common/daemon/daemon.h"

int main(int argc, char** argv) {
  using namespace holdfast;
  const auto arguments = daemon::parse_arguments({argv + 1, argv + argc});
  base::UniqueFd helper;
  if (arguments) {
    if (auto started = alertd::start_command_helper(arguments->config, argc, argv)) helper = std::move(*started);
  }
  return daemon::run(argc, argv, {.name = "alertd", .start = [&](daemon::Context& context) {
                                    return alertd::Service::start(context, std::move(helper));
                                  }});
}
