#include "common/net/proxy_header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace holdfast::net {
namespace {

using namespace std::string_view_literals;

constexpr auto kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr auto kWord = "PROXY "sv;
constexpr std::size_t kMaxLine = 107;
constexpr std::size_t kFixed = 16;  // of version 2, before the addresses
constexpr std::uint8_t kTcp4 = 0x11, kTcp6 = 0x21;

ProxyHeader bad(std::string_view fault) { return {.status = ProxyHeader::Status::kBad, .fault = fault}; }
ProxyHeader incomplete() { return {}; }
ProxyHeader complete(std::size_t length) { return {.status = ProxyHeader::Status::kComplete, .length = length}; }

std::string_view take_word(std::string_view& line) {
  const auto blank = line.find(' ');
  const auto word = line.substr(0, blank);
  line.remove_prefix(blank == line.npos ? line.size() : blank + 1);
  return word;
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return port <= 65535 ? std::optional(static_cast<std::uint16_t>(port)) : std::nullopt;
}

std::optional<SocketAddress> address_of(std::string_view text, std::string_view port, int family) {
  const auto number = port_of(port);
  auto address = SocketAddress::ip(text, number.value_or(0));
  if (!number || !address || address->family() != family) return std::nullopt;
  return *address;
}

// "TCP4 192.0.2.1 192.0.2.2 56324 25", one blank between words.
ProxyHeader addresses_of_line(std::string_view line, std::size_t length) {
  const auto protocol = take_word(line);
  if (protocol == "UNKNOWN") return complete(length);
  if (protocol != "TCP4" && protocol != "TCP6") return bad("unknown protocol");
  const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
  const bool blank_at_end = line.ends_with(' ');
  std::array<std::string_view, 4> words;
  for (auto& word : words) word = take_word(line);
  auto out = complete(length);
  out.client = address_of(words[0], words[2], family);
  out.server = address_of(words[1], words[3], family);
  if (!out.client || !out.server || blank_at_end || !line.empty()) return bad("bad addresses");
  return out;
}

ProxyHeader parse_line(std::string_view bytes) {
  const auto seen = bytes.substr(0, kMaxLine);
  const auto end = seen.find("\r\n");
  if (end == seen.npos) return seen.size() == kMaxLine ? bad("line too long") : incomplete();
  return addresses_of_line(seen.substr(kWord.size(), end - kWord.size()), end + 2);
}

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[at]) << 8 | static_cast<std::uint8_t>(bytes[at + 1]));
}

SocketAddress ip4(std::string_view bytes, std::uint16_t port) {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(port);
  std::memcpy(&raw.sin_addr, bytes.data(), sizeof raw.sin_addr);
  return {reinterpret_cast<const sockaddr*>(&raw), sizeof raw};
}

SocketAddress ip6(std::string_view bytes, std::uint16_t port) {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(port);
  std::memcpy(&raw.sin6_addr, bytes.data(), sizeof raw.sin6_addr);
  return {reinterpret_cast<const sockaddr*>(&raw), sizeof raw};
}

ProxyHeader addresses_of_block(std::uint8_t family, std::string_view block, std::size_t length) {
  auto out = complete(length);
  if (family == kTcp4) {
    if (block.size() < 12) return bad("too short for its addresses");
    out.client = ip4(block, number_at(block, 8));
    out.server = ip4(block.substr(4), number_at(block, 10));
  } else if (family == kTcp6) {
    if (block.size() < 36) return bad("too short for its addresses");
    out.client = ip6(block, number_at(block, 32));
    out.server = ip6(block.substr(16), number_at(block, 34));
  } else if ((family & 0x0f) > 2 || (family >> 4) > 3) {
    return bad("unknown family or transport");
  }
  return out;
}

ProxyHeader parse_binary(std::string_view bytes) {
  if (bytes.size() < kFixed) return incomplete();
  const auto command = static_cast<std::uint8_t>(bytes[12]);
  if (command >> 4 != 2) return bad("unknown version");
  if ((command & 0x0f) > 1) return bad("unknown command");
  const std::size_t length = kFixed + number_at(bytes, 14);
  if (length > kMaxProxyHeader) return bad("too long");
  if (bytes.size() < length) return incomplete();
  if ((command & 0x0f) == 0) return complete(length);  // LOCAL
  return addresses_of_block(static_cast<std::uint8_t>(bytes[13]), bytes.substr(kFixed, length - kFixed), length);
}

// Whether one is the beginning of the other.
bool agree(std::string_view a, std::string_view b) {
  const auto size = std::min(a.size(), b.size());
  return a.substr(0, size) == b.substr(0, size);
}

void put_port(std::string& out, std::uint16_t port) {
  out.push_back(static_cast<char>(port >> 8));
  out.push_back(static_cast<char>(port & 0xff));
}

void put_octets(std::string& out, const SocketAddress& address) {
  if (address.family() == AF_INET) {
    out.append(reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr), 4);
  } else {
    out.append(reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr), 16);
  }
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  if (agree(bytes, kSignature)) return parse_binary(bytes);
  if (!agree(bytes, kWord)) return bad("no PROXY header");
  return bytes.size() < kWord.size() ? incomplete() : parse_line(bytes);
}

std::string proxy_v2_header(const SocketAddress& client, const SocketAddress& server) {
  const bool v4 = client.family() == AF_INET;
  if (client.family() != server.family() || (!v4 && client.family() != AF_INET6)) return proxy_v2_local();
  std::string out(kSignature);
  out.push_back(0x21);
  out.push_back(static_cast<char>(v4 ? kTcp4 : kTcp6));
  put_port(out, v4 ? 12 : 36);
  put_octets(out, client);
  put_octets(out, server);
  put_port(out, client.port());
  put_port(out, server.port());
  return out;
}

std::string proxy_v2_local() {
  std::string out(kSignature);
  return out.append("\x20\0\0\0"sv);
}

}  // namespace holdfast::net
