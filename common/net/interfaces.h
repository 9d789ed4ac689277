// The addresses of this host.
#pragma once

#include <vector>

#include "common/net/address.h"

namespace holdfast::net {

// Of all interfaces that are up, with port 0.
std::vector<SocketAddress> interface_addresses();

}  // namespace holdfast::net
