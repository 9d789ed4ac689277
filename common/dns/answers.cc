#include "common/dns/answers.h"

#include <algorithm>
#include <cstring>

#include <netinet/in.h>

#include "common/base/idn.h"
#include "common/base/text.h"

namespace holdfast::dns {
namespace {

constexpr std::size_t kMaxName = 253;  // RFC 1035 section 2.3.4, as text

bool is_host_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::optional<std::string> read_name(std::string_view data) {
  std::string name;
  while (!data.empty()) {
    const auto length = static_cast<unsigned char>(data[0]);
    if (length == 0) return data.size() == 1 ? std::optional(name) : std::nullopt;
    if (length > 63 || data.size() <= length) return std::nullopt;
    const std::string label = base::to_lower(data.substr(1, length));
    if (!std::ranges::all_of(label, is_host_byte)) return std::nullopt;
    if (!name.empty()) name += '.';
    name += label;
    data.remove_prefix(1 + length);
  }
  return std::nullopt;
}

bool can_be_host(std::string_view name) {
  if (name.size() > kMaxName) return false;
  std::size_t label = 0;
  for (const char c : name) {
    if (c == '.' ? label == 0 : !is_host_byte(c)) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return false;
  }
  return label > 0;
}

}  // namespace

std::optional<Mx> read_mx(std::string_view data) {
  if (data.size() < 3) return std::nullopt;
  const auto high = static_cast<unsigned char>(data[0]), low = static_cast<unsigned char>(data[1]);
  auto host = read_name(data.substr(2));
  if (!host || host->size() > kMaxName) return std::nullopt;
  return Mx{static_cast<std::uint16_t>(high << 8 | low), std::move(*host)};
}

std::optional<std::string> read_host(std::string_view data) {
  auto name = read_name(data);
  return name && can_be_host(*name) ? name : std::nullopt;
}

std::optional<net::SocketAddress> read_address(std::string_view data, std::uint16_t port) {
  if (data.size() == 4) {
    sockaddr_in raw{};
    raw.sin_family = AF_INET;
    raw.sin_port = htons(port);
    std::memcpy(&raw.sin_addr, data.data(), 4);
    return net::SocketAddress(reinterpret_cast<const sockaddr*>(&raw), sizeof raw);
  }
  if (data.size() == 16) {
    sockaddr_in6 raw{};
    raw.sin6_family = AF_INET6;
    raw.sin6_port = htons(port);
    std::memcpy(&raw.sin6_addr, data.data(), 16);
    return net::SocketAddress(reinterpret_cast<const sockaddr*>(&raw), sizeof raw);
  }
  return std::nullopt;
}

std::optional<std::string> ascii_name(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  const auto name = base::ascii_domain(domain);
  return name && can_be_host(*name) ? name : std::nullopt;
}

}  // namespace holdfast::dns
