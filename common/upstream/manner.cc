#include "common/upstream/manner.h"

#include <sys/socket.h>

#include "common/net/proxy_header.h"
#include "common/smtp/xclient.h"

namespace holdfast::upstream {

std::string xclient_argument(const Client& client, std::string_view offered_names) {
  return smtp::xclient_argument({.name = client.name,
                                 .addr = client.address,
                                 .port = std::to_string(client.port),
                                 .proto = client.protocol == "SMTP" ? "SMTP" : "ESMTP",
                                 .helo = client.helo,
                                 .login = {},
                                 .destaddr = {},
                                 .destport = {}},
                                offered_names);
}

std::string proxy_header(const Client* client, const net::SocketAddress& server) {
  if (client == nullptr) return net::proxy_v2_local();
  const auto from = net::SocketAddress::ip(client->address, client->port);
  if (!from) return net::proxy_v2_local();
  if (from->family() == server.family()) return net::proxy_v2_header(*from, server);
  return net::proxy_v2_header(*from, *net::SocketAddress::ip(from->family() == AF_INET ? "0.0.0.0" : "::", server.port()));
}

// By a PROXY header nothing but address and port is told.
bool same_for_server(Manner::Tell tell, const ClientPtr& one, const ClientPtr& other) {
  if (tell == Manner::Tell::kNothing || one == other) return true;
  if (!one || !other) return false;
  return tell == Manner::Tell::kProxy ? one->address == other->address && one->port == other->port : *one == *other;
}

}  // namespace holdfast::upstream
