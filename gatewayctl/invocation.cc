#include "gatewayctl/invocation.h"

#include <cstdio>

#include "common/base/text.h"

namespace holdfast::gatewayctl {

int report(const base::Error& error) {
  for (const auto line : base::split(error.text, '\n')) {
    std::fprintf(stderr, "gatewayctl: %s\n", base::printable(line).c_str());
  }
  return base::exit_code(error.kind);
}

void with_gateway(Invocation& invocation, const std::function<base::Status(Gateway&)>& body) {
  auto gateway = Gateway::open(invocation.config_file);
  if (!gateway) {
    invocation.exit_code = report(gateway.error());
    return;
  }
  if (const auto& warning = gateway->warning(); !warning.empty()) {
    std::fprintf(stderr, "gatewayctl: warning: %s\n", base::printable(warning).c_str());
  }
  if (const auto done = body(*gateway); !done) invocation.exit_code = report(done.error());
}

}  // namespace holdfast::gatewayctl
