// Which servers take a domain's mail, and in what order (RFC 5321 section 5.1, RFC 7505): the part that
// decides. No I/O; chance comes in as an argument.
#pragma once

#include <expected>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "common/dns/answers.h"
#include "common/dns/tlsa.h"

namespace holdfast::dns {

// No more hosts are looked up, addresses of one host used, and servers given: a domain's owner may name
// thousands, and mail for it must not cost more for that.
inline constexpr std::size_t kMostHosts = 8;
inline constexpr std::size_t kMostAddressesOfHost = 4;
inline constexpr std::size_t kMostServers = 10;

struct MailServer {
  std::uint16_t preference = 0;
  std::string host;  // "mx1.example.org"; of a literal the address
  net::SocketAddress address;
  Dane dane{};
};

// Why there is no server to try. Final: it will not help to ask again.
struct Refusal {
  bool final = false;
  std::string dsn;   // RFC 3463: 5.1.2, 5.1.10, 5.4.4, 5.4.6, 4.4.3
  std::string text;  // for logs and bounces

  bool operator==(const Refusal&) const = default;
};

struct Ourselves {
  std::vector<std::string> names;  // any case
  std::function<bool(const net::SocketAddress&)> listens_on = [](const net::SocketAddress&) { return false; };
};

// The hosts to look up, most preferred first, equals in random order, at most kMostHosts. A domain without
// MX is its own host. Ourselves, and all that is not preferred to us, are left out: mail would loop.
std::expected<std::vector<Mx>, Refusal> hosts_to_try(std::string_view domain, const Answer<Mx>& answer,
                                                     const Ourselves& ourselves, std::mt19937& chance);

struct LookedUp {
  Mx mx;
  Answer<net::SocketAddress> addresses;
  Dane dane{};
};

// The servers to try, in the order of `hosts`, at most kMostServers; addresses that are nobody's (0.0.0.0,
// multicast) are left out, an address we listen on as above, and hosts of which nobody could say how their TLS is to be
// checked.
std::expected<std::vector<MailServer>, Refusal> servers_to_try(std::string_view domain,
                                                               const std::vector<LookedUp>& hosts,
                                                               const Ourselves& ourselves);

}  // namespace holdfast::dns
