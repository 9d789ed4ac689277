#include "import/servers.h"

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/config/values.h"

namespace holdfast::importer {

base::Result<std::string> server_text(std::string_view host, int port) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (base::istarts_with(host, "ipv6:")) host.remove_prefix(5);
  const std::string text = host.find(':') == host.npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
  const auto server = config::parse_server(text);
  if (!server) return base::fail(base::Kind::kData, fmt::format("'{}' is no server: {}", base::printable(host), server.error().text));
  return server->text();
}

std::string domain_fault(std::string_view name) {
  if (name.find('.') == name.npos) return "has no dot";
  return config::hostname_fault(name);
}

}  // namespace holdfast::importer
