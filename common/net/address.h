// Socket addresses: IPv4, IPv6 and Unix.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/socket.h>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/base/network.h"

namespace holdfast::net {

class SocketAddress {
 public:
  SocketAddress() = default;
  SocketAddress(const sockaddr* raw, socklen_t length);

  // "192.0.2.1" or "2001:db8::1": an address, never a name.
  static base::Result<SocketAddress> ip(std::string_view address, std::uint16_t port);
  static base::Result<SocketAddress> unix_path(const std::string& path);

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }
  int family() const { return storage_.ss_family; }

  std::string host() const;        // without brackets; the path of a Unix socket
  std::uint16_t port() const;
  base::IpAddress ip_address() const;  // all zeros for a Unix socket
  std::string text() const;        // "192.0.2.1:25", "[2001:db8::1]:25", a path
  std::string literal() const;     // "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3)

  bool operator==(const SocketAddress& other) const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

// A listening, non-blocking socket. TCP: SO_REUSEADDR; Unix: an old socket file nobody listens on is
// replaced, mode 0660.
base::Result<base::UniqueFd> listen_on(const SocketAddress& address, int backlog = 4096);

}  // namespace holdfast::net
