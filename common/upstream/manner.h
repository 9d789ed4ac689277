// In what way connections of a destination begin and speak: SMTP or LMTP, and whether the server hears whose mail it
// is that we bring (XCLIENT, PROXY), so that it judges the real client and not us.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/net/address.h"

namespace holdfast::upstream {

// Whose mail it is, as smtpd knew him.
struct Client {
  std::string address;  // "192.0.2.10" or "2001:db8::1"
  std::uint16_t port = 0;
  std::string name;      // by DNS; empty: not known
  std::string helo;
  std::string protocol;  // "SMTP", "ESMTPS", "UTF8SMTP", …

  bool operator==(const Client&) const = default;
};
// Null: nobody's, our own mail.
using ClientPtr = std::shared_ptr<const Client>;

struct Manner {
  enum class Tell : std::uint8_t {
    kNothing,
    kXclient,  // where the server offers it; again when the client is another
    kProxy,    // a header of version 2 first of all: such a connection is one client's, or (LOCAL) ours
  };
  bool lmtp = false;  // RFC 2033: LHLO, and a reply a recipient to the dot
  Tell tell = Tell::kNothing;

  bool operator==(const Manner&) const = default;
};

// The argument of XCLIENT for a server that takes these attributes; empty when there is nothing to say.
std::string xclient_argument(const Client& client, std::string_view offered_names);
// LOCAL without a client. The address that the client reached is not told: where it would have to be of another
// family than the server's, all zeros stand for it.
std::string proxy_header(const Client* client, const net::SocketAddress& server);
// Whether a server that was told the one has been told the other.
bool same_for_server(Manner::Tell tell, const ClientPtr& one, const ClientPtr& other);

}  // namespace holdfast::upstream
