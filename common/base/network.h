// IP addresses and networks as plain bytes, for lists of networks and for what is counted by network. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::base {

// IPv4 is held as ::ffff:a.b.c.d, so that a client that comes by a mapped address is the same client.
struct IpAddress {
  std::array<std::uint8_t, 16> octets{};

  // "192.0.2.1", "2001:db8::1": never a name.
  static std::optional<IpAddress> parse(std::string_view text);
  bool is_v4() const;
  std::string text() const;
  // "1.2.0.192.in-addr.arpa", or the nibbles under ip6.arpa (RFC 1035 section 3.5, RFC 3596 section 2.5).
  std::string reverse_name() const;
  bool operator==(const IpAddress&) const = default;
};

struct Network {
  IpAddress first;
  int bits = 128;  // of the 128; an IPv4 network of /8 has 104

  // "10.0.0.0/8", "2001:db8::/32", or an address alone. Bits behind the prefix must be zero.
  static std::optional<Network> parse(std::string_view text);
  // The network of a prefix around an address: `v4_bits` (0 to 32) or `v6_bits` (0 to 128) count.
  static Network around(const IpAddress& address, int v4_bits, int v6_bits);
  bool contains(const IpAddress& address) const;
  std::string text() const;
  bool operator==(const Network&) const = default;
};

bool contains(const std::vector<Network>& networks, const IpAddress& address);

}  // namespace holdfast::base
