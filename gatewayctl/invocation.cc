#include "gatewayctl/invocation.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/text.h"

namespace holdfast::gatewayctl {

int report(const base::Error& error) {
  for (const auto line : base::split(error.text, '\n')) {
    std::fprintf(stderr, "gatewayctl: %s\n", base::printable(line).c_str());
  }
  return base::exit_code(error.kind);
}

namespace {

// Who may not look would be told that nothing runs and nothing is kept.
base::Status may_look(const config::Paths& paths) {
  for (const auto& folder : {paths.state, paths.spool}) {
    if (::faccessat(AT_FDCWD, folder.c_str(), R_OK | X_OK, AT_EACCESS) == 0 || errno != EACCES) continue;
    return base::fail(base::Kind::kPermission, folder + ": Permission denied: this takes root, or the gateway's own account");
  }
  return {};
}

}  // namespace

void with_gateway(Invocation& invocation, const std::function<base::Status(Gateway&)>& body) {
  auto gateway = Gateway::open(invocation.config_file);
  if (!gateway) {
    invocation.exit_code = report(gateway.error());
    return;
  }
  if (const auto may = may_look(gateway->config().paths); !may) {
    invocation.exit_code = report(may.error());
    return;
  }
  if (const auto& warning = gateway->warning(); !warning.empty()) {
    std::fprintf(stderr, "gatewayctl: warning: %s\n", base::printable(warning).c_str());
  }
  if (const auto done = body(*gateway); !done) invocation.exit_code = report(done.error());
}

}  // namespace holdfast::gatewayctl
