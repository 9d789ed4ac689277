#include "common/scanning/filters_of.h"

#include <algorithm>
#include <string>

#include <fmt/core.h>

#include "common/base/panic.h"

namespace holdfast::scanning {
namespace {

filtering::OnFailure on_failure(std::string_view text) {
  if (text == "accept") return filtering::OnFailure::kAccept;
  return text == "reject" ? filtering::OnFailure::kReject : filtering::OnFailure::kTempfail;
}

}  // namespace

bool came_by(const std::vector<std::string>& listeners, std::string_view where) {
  if (listeners.empty() || where.empty()) return true;
  const std::string all = fmt::format("{}:{}", where.starts_with('[') ? "[::]" : "0.0.0.0", where.substr(where.rfind(':') + 1));
  return std::ranges::any_of(listeners, [&](const std::string& l) { return l == where || l == all; });
}

Set asked_after(const config::Config& config, const config::Domain& domain, std::string_view listener) {
  Set out;
  for (std::size_t i = 0; i < config.filters.size(); ++i) {
    const auto& filter = config.filters[i];
    if (filter.asks_after(domain.name) && came_by(filter.listeners, listener)) out.push_back(i);
  }
  return out;
}

filtering::FilterSpec spec_of(const config::Filter& filter, const config::Config& config) {
  const auto where = config::filter_address(filter.milter, config.paths);
  base::expect(where.has_value(), "a milter that is nowhere");
  auto address = where->path.empty() ? net::SocketAddress::ip(where->host, where->port) : net::SocketAddress::unix_path(where->path);
  base::expect(address.has_value(), "a milter without an address");
  return {.name = filter.name,
          .address = *address,
          .on_failure = on_failure(filter.on_failure),
          .connect = filter.connect,
          .command = filter.command,
          .content = filter.content,
          .longest_body = config.smtpd.message_size_limit};
}

std::vector<filtering::FilterSpec> specs_of(const config::Config& config, const Set& set) {
  std::vector<filtering::FilterSpec> out;
  for (const auto i : set) out.push_back(spec_of(config.filters.at(i), config));
  return out;
}

}  // namespace holdfast::scanning
