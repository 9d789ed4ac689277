#include "common/dns/mail_route.h"

#include <algorithm>

#include <fmt/format.h>
#include <netinet/in.h>

#include "common/base/text.h"

namespace holdfast::dns {
namespace {

std::unexpected<Refusal> refuse(bool final, std::string_view dsn, std::string text) {
  return std::unexpected(Refusal{final, std::string(dsn), std::move(text)});
}

std::unexpected<Refusal> loops(std::string_view domain) {
  return refuse(true, "5.4.6", fmt::format("mail for {} loops back to this gateway: it is its most preferred mail server", domain));
}

bool is_our_name(std::string_view host, const Ourselves& ourselves) {
  return std::ranges::any_of(ourselves.names, [&](const auto& name) { return base::iequals(name, host); });
}

// Nobody's own address: a connection there would come to ourselves, to nobody, or to many.
bool is_a_hosts(const net::SocketAddress& address) {
  if (address.family() == AF_INET) {
    const auto& raw = reinterpret_cast<const sockaddr_in*>(address.raw())->sin_addr;
    const std::uint32_t ip = ntohl(raw.s_addr);
    return ip >> 24 != 0 && ip >> 28 < 0xe;
  }
  const in6_addr& raw = reinterpret_cast<const sockaddr_in6*>(address.raw())->sin6_addr;
  return !IN6_IS_ADDR_UNSPECIFIED(&raw) && !IN6_IS_ADDR_MULTICAST(&raw);
}

// RFC 5321 section 5.1: who finds itself in the list leaves out itself and all that is not preferred to it.
template <class List, class IsOurs, class Preference>
bool drop_behind_us(List& list, IsOurs is_ours, Preference preference) {
  const auto at = std::ranges::find_if(list, is_ours);
  if (at == list.end()) return false;
  const std::uint16_t ours = preference(*at);
  std::erase_if(list, [&](const auto& item) { return preference(item) >= ours; });
  return true;
}

}  // namespace

std::expected<std::vector<Mx>, Refusal> hosts_to_try(std::string_view domain, const Answer<Mx>& answer,
                                                     const Ourselves& ourselves, std::mt19937& chance) {
  switch (answer.status) {
    case Status::kFailed: return refuse(false, "4.4.3", fmt::format("looking up the mail servers of {} failed: {}", domain, answer.why));
    case Status::kNoName: return refuse(true, "5.1.2", fmt::format("the domain {} does not exist", domain));
    case Status::kNothing:
      if (is_our_name(domain, ourselves)) return loops(domain);
      return std::vector{Mx{0, std::string(domain)}};
    case Status::kFound: break;
  }
  std::vector<Mx> hosts = answer.found;
  std::erase_if(hosts, [](const Mx& mx) { return mx.host.empty(); });
  if (hosts.empty()) {
    return refuse(true, "5.1.10", fmt::format("the domain {} takes no mail (null MX)", domain));
  }
  std::ranges::shuffle(hosts, chance);
  std::ranges::stable_sort(hosts, {}, &Mx::preference);
  const bool dropped = drop_behind_us(
      hosts, [&](const Mx& mx) { return is_our_name(mx.host, ourselves); }, [](const Mx& mx) { return mx.preference; });
  if (hosts.empty() && dropped) return loops(domain);
  if (hosts.size() > kMostHosts) hosts.resize(kMostHosts);
  return hosts;
}

std::expected<std::vector<MailServer>, Refusal> servers_to_try(std::string_view domain,
                                                               const std::vector<LookedUp>& hosts,
                                                               const Ourselves& ourselves) {
  std::vector<MailServer> servers;
  std::string failed;
  for (const auto& [mx, addresses, dane] : hosts) {
    if (addresses.status == Status::kFailed) failed = fmt::format("{}: {}", mx.host, addresses.why);
    std::size_t taken = 0;
    for (const auto& address : addresses.found) {
      if (!is_a_hosts(address) || taken >= kMostAddressesOfHost) continue;
      ++taken;
      servers.push_back({mx.preference, mx.host, address, dane});
    }
  }
  const bool dropped = drop_behind_us(
      servers, [&](const MailServer& server) { return ourselves.listens_on(server.address); },
      [](const MailServer& server) { return server.preference; });
  for (const auto& server : servers) {
    if (server.dane.rule == Dane::Rule::kUnknown) failed = fmt::format("TLSA of {}: {}", server.host, server.dane.why);
  }
  std::erase_if(servers, [](const MailServer& server) { return server.dane.rule == Dane::Rule::kUnknown; });
  if (servers.size() > kMostServers) servers.resize(kMostServers);
  if (!servers.empty()) return servers;
  if (!failed.empty()) return refuse(false, "4.4.3", fmt::format("looking up the mail servers of {} failed: {}", domain, failed));
  if (dropped) return loops(domain);
  const bool itself = hosts.size() == 1 && hosts[0].mx.host == domain;
  if (itself && hosts[0].addresses.status == Status::kNoName) {
    return refuse(true, "5.1.2", fmt::format("the domain {} does not exist", domain));
  }
  if (itself) return refuse(true, "5.1.2", fmt::format("the domain {} has neither mail servers nor an address", domain));
  return refuse(true, "5.4.4", fmt::format("none of the mail servers of {} has an address", domain));
}

}  // namespace holdfast::dns
