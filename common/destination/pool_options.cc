#include "common/destination/pool_options.h"

#include <algorithm>

#include "common/destination/security.h"

namespace holdfast::destination {

std::vector<upstream::ServerName> server_names(const config::Destination& destination) {
  std::vector<upstream::ServerName> out;
  for (const auto& server : destination.servers) {
    out.push_back({.host = server.host, .port = server.port, .text = server.text()});
  }
  return out;
}

upstream::Timeouts timeouts_of(const config::Destination& destination) {
  const config::Timeouts& waits = destination.timeouts;
  const upstream::Timeouts usual;
  const base::Millis dot = waits.dot;
  return {.connect = waits.connect, .session = waits.command, .command = waits.command,
          .data = std::min(usual.data, dot), .content = std::min(usual.content, dot), .dot = dot};
}

upstream::Manner manner_of(const config::Destination& destination) {
  using Tell = upstream::Manner::Tell;
  return {.lmtp = destination.protocol == "lmtp",
          .tell = destination.client == "xclient" ? Tell::kXclient
                  : destination.client == "proxy" ? Tell::kProxy
                                                  : Tell::kNothing};
}

upstream::PoolOptions pool_options(const config::Destination& destination, const std::string& helo) {
  return {.servers = server_names(destination), .helo = helo, .timeouts = timeouts_of(destination),
          .security = security_of(destination), .manner = manner_of(destination)};
}

namespace {

bool fits(const upstream::Security* security, const config::Destination& destination) {
  const bool wanted = destination.tls.policy != "off" || !destination.auth.user.empty();
  return security == nullptr ? !wanted : security->origin == security_origin(destination);
}

}  // namespace

bool fits(const upstream::PoolOptions& options, const config::Destination& destination, const std::string& helo) {
  if (destination.mx || options.servers.empty()) return false;
  return options.servers == server_names(destination) && options.timeouts == timeouts_of(destination) &&
         options.helo == helo && options.manner == manner_of(destination) && fits(options.security.get(), destination);
}

bool usable(const std::optional<storage::DestinationRow>& row, const config::Destination& destination,
            const upstream::ServerName& server, base::Wall now) {
  if (!row) return true;
  const auto age = base::Millis{base::to_millis(now) - row->confirmed_ms};
  if (age > 3 * destination.probe.interval) return true;
  const auto at = std::ranges::find(row->servers, server.text, &storage::ServerRow::server);
  return at == row->servers.end() || at->up;
}

}  // namespace holdfast::destination
