#include "common/net/interfaces.h"

#include <memory>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

namespace holdfast::net {

std::vector<SocketAddress> interface_addresses() {
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(raw, &::freeifaddrs);
  std::vector<SocketAddress> out;
  for (const ifaddrs* at = raw; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_UP) == 0) continue;
    if (at->ifa_addr->sa_family == AF_INET) out.emplace_back(at->ifa_addr, sizeof(sockaddr_in));
    if (at->ifa_addr->sa_family == AF_INET6) out.emplace_back(at->ifa_addr, sizeof(sockaddr_in6));
  }
  return out;
}

}  // namespace holdfast::net
