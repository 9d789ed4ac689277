#include "common/base/network.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "common/base/text.h"

namespace holdfast::base {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

// The bits of one octet that a prefix of `bits` covers.
std::uint8_t mask(int bits, std::size_t octet) {
  const int covered = std::clamp(bits - static_cast<int>(octet) * 8, 0, 8);
  return static_cast<std::uint8_t>(0xff << (8 - covered));
}

IpAddress masked(IpAddress address, int bits) {
  for (std::size_t i = 0; i < address.octets.size(); ++i) address.octets[i] &= mask(bits, i);
  return address;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy) return std::nullopt;
  copy[text.copy(copy, sizeof copy - 1)] = '\0';
  IpAddress out;
  if (::inet_pton(AF_INET6, copy, out.octets.data()) == 1) return out;
  std::ranges::copy(kMapped, out.octets.begin());
  if (::inet_pton(AF_INET, copy, out.octets.data() + kMapped.size()) == 1) return out;
  return std::nullopt;
}

bool IpAddress::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), octets.begin()); }

std::string IpAddress::text() const {
  char out[INET6_ADDRSTRLEN] = "";
  const bool v4 = is_v4();
  ::inet_ntop(v4 ? AF_INET : AF_INET6, octets.data() + (v4 ? kMapped.size() : 0), out, sizeof out);
  return out;
}

std::string IpAddress::reverse_name() const {
  if (is_v4()) return fmt::format("{}.{}.{}.{}.in-addr.arpa", octets[15], octets[14], octets[13], octets[12]);
  std::string out;
  for (std::size_t i = octets.size(); i-- > 0;) {
    fmt::format_to(std::back_inserter(out), "{:x}.{:x}.", octets[i] & 15, octets[i] >> 4);
  }
  return out + "ip6.arpa";
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  // ::ffff:10.0.0.0/104 is the same network as 10.0.0.0/8.
  const bool dotted = text.substr(0, slash).find(':') == text.npos;
  Network out{*address, 128};
  if (slash != text.npos) {
    const auto bits = to_number(text.substr(slash + 1));
    if (!bits || *bits > (dotted ? 32U : 128U)) return std::nullopt;
    out.bits = static_cast<int>(*bits) + (dotted ? kMappedBits : 0);
  }
  if (masked(out.first, out.bits) != out.first) return std::nullopt;
  return out;
}

Network Network::around(const IpAddress& address, int v4_bits, int v6_bits) {
  const int bits = address.is_v4() ? kMappedBits + v4_bits : v6_bits;
  return {masked(address, bits), bits};
}

bool Network::contains(const IpAddress& address) const { return masked(address, bits) == first; }

std::string Network::text() const {
  const bool v4 = first.is_v4() && bits >= kMappedBits;
  const int shown = v4 ? bits - kMappedBits : bits;
  return shown == (v4 ? 32 : 128) ? first.text() : fmt::format("{}/{}", first.text(), shown);
}

bool contains(const std::vector<Network>& networks, const IpAddress& address) {
  return std::ranges::any_of(networks, [&](const Network& n) { return n.contains(address); });
}

}  // namespace holdfast::base
