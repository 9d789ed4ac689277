// The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt, 2020-03-05): what a load balancer
// says first on a connection, so that the server behind it knows the client. Pure: bytes in, words out.
//
// Only for connections from hosts that are trusted with it: whoever may send a header may be anybody.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/address.h"

namespace holdfast::net {

// A header of version 1 has 107 octets at most; one of version 2 with its TLVs is taken up to this size.
inline constexpr std::size_t kMaxProxyHeader = 4096;

struct ProxyHeader {
  enum class Status {
    kIncomplete,  // so far it may be one: more bytes are needed
    kBad,         // it is none, or breaks its own rules; `fault` says how
    kComplete,    // `length` octets were the header; the client's bytes follow
  };
  Status status = Status::kIncomplete;
  std::string_view fault{};
  std::size_t length = 0;
  // Nothing for LOCAL, UNKNOWN and families other than TCP over IP: the connection speaks for itself.
  std::optional<SocketAddress> client{}, server{};
};

// `bytes` is all that has come so far; TLVs are passed over. Never incomplete with kMaxProxyHeader bytes.
ProxyHeader parse_proxy_header(std::string_view bytes);

// A header of version 2 for a client that reached us at `server`; both of one family, else LOCAL is said.
std::string proxy_v2_header(const SocketAddress& client, const SocketAddress& server);
std::string proxy_v2_local();

}  // namespace holdfast::net
