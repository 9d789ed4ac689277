// What the domain name system says: plain data, and the reading of record data. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/net/address.h"

namespace holdfast::dns {

enum class Status {
  kFound,
  kNothing,  // the name exists, without such a record: final
  kNoName,   // it does not exist (NXDOMAIN), or cannot: final
  kFailed,   // nobody could say, now: temporary
};

template <class T>
struct Answer {
  Status status = Status::kFailed;
  std::vector<T> found{};      // not empty if kFound
  base::Seconds ttl{0};        // the answer holds so long
  std::string why{};           // of kFailed, for logs
  bool secure = false;         // DNSSEC vouches for it, of what there is not as well
  std::string canonical{};     // the name at the end of its aliases, lower case; empty: none were followed
};

// A mail server of a domain (RFC 5321 section 5.1). An empty host is the root: "no mail" (RFC 7505).
struct Mx {
  std::uint16_t preference = 0;
  std::string host;  // lower case, without the final dot

  bool operator==(const Mx&) const = default;
};

// Record data as it is in a packet, names uncompressed. Nothing when it is no such record, or when the
// name in it can be no host's (bytes that no host name has).
std::optional<Mx> read_mx(std::string_view data);
std::optional<std::string> read_host(std::string_view data);  // PTR; never the root
std::optional<net::SocketAddress> read_address(std::string_view data, std::uint16_t port);  // A: 4 bytes, AAAA: 16

// A domain as it is asked for: lower case, without a final dot, internationalised labels as xn-- (IDNA 2008).
// Nothing when it cannot be a domain's name.
std::optional<std::string> ascii_name(std::string_view domain);

}  // namespace holdfast::dns
