#include "common/net/address.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace holdfast::net {

using base::fail;
using base::fail_errno;
using base::Kind;

SocketAddress::SocketAddress(const sockaddr* raw, socklen_t length)
    : length_(std::min<socklen_t>(length, sizeof storage_)) {
  std::memcpy(&storage_, raw, length_);
}

base::Result<SocketAddress> SocketAddress::ip(std::string_view address, std::uint16_t port) {
  const std::string text(address);
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return SocketAddress(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }
  return fail(Kind::kData, fmt::format("\"{}\" is not an IP address", text));
}

base::Result<SocketAddress> SocketAddress::unix_path(const std::string& path) {
  sockaddr_un un{};
  if (path.size() >= sizeof un.sun_path) return fail(Kind::kConfig, path + ": too long for a socket's path");
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.c_str(), path.size() + 1);
  return SocketAddress(reinterpret_cast<const sockaddr*>(&un),
                       static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1));
}

std::string SocketAddress::host() const {
  char out[INET6_ADDRSTRLEN] = "";
  switch (family()) {
    case AF_INET:
      ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, out, sizeof out);
      return out;
    case AF_INET6:
      ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, out, sizeof out);
      return out;
    case AF_UNIX:
      return reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path;
    default:
      return {};
  }
}

std::uint16_t SocketAddress::port() const {
  switch (family()) {
    case AF_INET: return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
    case AF_INET6: return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    default: return 0;
  }
}

base::IpAddress SocketAddress::ip_address() const {
  base::IpAddress out;
  if (family() == AF_INET) {
    out.octets[10] = out.octets[11] = 0xff;
    std::memcpy(out.octets.data() + 12, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, 4);
  } else if (family() == AF_INET6) {
    std::memcpy(out.octets.data(), &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, 16);
  }
  return out;
}

std::string SocketAddress::text() const {
  switch (family()) {
    case AF_INET: return fmt::format("{}:{}", host(), port());
    case AF_INET6: return fmt::format("[{}]:{}", host(), port());
    default: return host();
  }
}

std::string SocketAddress::literal() const {
  return family() == AF_INET6 ? fmt::format("[IPv6:{}]", host()) : fmt::format("[{}]", host());
}

bool SocketAddress::operator==(const SocketAddress& other) const {
  return length_ == other.length_ && std::memcmp(&storage_, &other.storage_, length_) == 0;
}

namespace {

// A socket file that nobody listens on any more is left from a process that died.
base::Status clear_stale_socket(const SocketAddress& address) {
  const std::string path = address.host();
  const base::UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return fail_errno("socket", errno);
  if (::connect(probe.get(), address.raw(), address.length()) == 0) {
    return fail(Kind::kUnavailable, path + ": another process listens there");
  }
  if (errno == ECONNREFUSED && ::unlink(path.c_str()) != 0) return fail_errno("unlink " + path, errno);
  return {};
}

}  // namespace

base::Result<base::UniqueFd> listen_on(const SocketAddress& address, int backlog) {
  const bool is_unix = address.family() == AF_UNIX;
  if (is_unix) {
    if (auto done = clear_stale_socket(address); !done) return std::unexpected(done.error());
  }
  base::UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("socket", errno);
  const int on = 1;
  if (!is_unix) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
  }
  if (address.family() == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(fd.get(), address.raw(), address.length()) != 0) return fail_errno("bind " + address.text(), errno);
  if (is_unix) ::chmod(address.host().c_str(), 0660);
  if (::listen(fd.get(), backlog) != 0) return fail_errno("listen " + address.text(), errno);
  return fd;
}

}  // namespace holdfast::net
