#include "common/destination/ourselves.h"

#include <algorithm>

#include "common/net/interfaces.h"

namespace holdfast::destination {

bool listens_on(const std::vector<config::HostPort>& listen, const std::vector<net::SocketAddress>& of_this_host,
                const net::SocketAddress& address) {
  const std::string host = address.host();
  return std::ranges::any_of(listen, [&](const config::HostPort& ours) {
    if (ours.port != address.port()) return false;
    if (ours.host == host) return true;
    const bool any = ours.host == (address.family() == AF_INET6 ? "::" : "0.0.0.0");
    return any && std::ranges::find(of_this_host, host, &net::SocketAddress::host) != of_this_host.end();
  });
}

dns::Ourselves ourselves(const config::Config& config) {
  return {.names = {config.hostname}, .listens_on = [listen = config.listen](const net::SocketAddress& address) {
            return listens_on(listen, net::interface_addresses(), address);
          }};
}

}  // namespace holdfast::destination
