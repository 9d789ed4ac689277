#include "common/destination/name_servers.h"

namespace holdfast::destination {

std::vector<net::SocketAddress> name_servers(const std::vector<config::HostPort>& resolvers) {
  std::vector<net::SocketAddress> out;
  for (const auto& server : resolvers) {
    if (const auto address = net::SocketAddress::ip(server.host, server.port)) out.push_back(*address);
  }
  return out;
}

}  // namespace holdfast::destination
