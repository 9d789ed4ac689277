// The name servers of the configuration as common/dns takes them.
#pragma once

#include <vector>

#include "common/config/config.h"
#include "common/net/address.h"

namespace holdfast::destination {

// Empty: the system's.
std::vector<net::SocketAddress> name_servers(const std::vector<config::HostPort>& resolvers);

}  // namespace holdfast::destination
