#include "common/dns/mail_servers.h"

#include <algorithm>

#include "common/base/text.h"

namespace holdfast::dns {
namespace {

constexpr base::Seconds kLiteralHolds{3600};

// "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3).
std::optional<net::SocketAddress> literal(std::string_view domain, std::uint16_t port) {
  if (!domain.starts_with('[') || !domain.ends_with(']')) return std::nullopt;
  std::string_view inner = domain.substr(1, domain.size() - 2);
  if (base::istarts_with(inner, "IPv6:")) inner.remove_prefix(5);
  const auto address = net::SocketAddress::ip(inner, port);
  return address ? std::optional(*address) : std::nullopt;
}

// Of what the domain name system need not be asked about.
std::expected<MailRoute, Refusal> of_no_name(const std::string& domain, const Ourselves& ourselves, std::uint16_t port) {
  const auto address = literal(domain, port);
  if (!address) return std::unexpected(Refusal{true, "5.1.2", domain + " is no domain's name"});
  auto servers = servers_to_try(domain, {{{0, address->host()}, {Status::kFound, {*address}}}}, ourselves);
  if (!servers) return std::unexpected(std::move(servers.error()));
  return MailRoute{std::move(*servers), kLiteralHolds};
}

}  // namespace

// One find(), kept alive by the questions that are open.
struct MailServers::Search : std::enable_shared_from_this<MailServers::Search> {
  std::weak_ptr<Resolver> resolver;  // whose questions keep this Search alive
  Ourselves ourselves;
  std::uint16_t port = 25;
  bool dane = false;  // asked for, and the MX themselves are secure
  std::string domain;
  std::mt19937 chance;
  Done done;
  base::Seconds ttl{0};
  std::vector<LookedUp> hosts;
  std::size_t open = 0;

  void begin() {
    resolver.lock()->mx(domain, [self = shared_from_this()](Answer<Mx> answer) { self->on_mx(answer); });
  }

  void on_mx(const Answer<Mx>& answer) {
    const auto asked = resolver.lock();
    if (!asked) return;
    auto chosen = hosts_to_try(domain, answer, ourselves, chance);
    if (!chosen) return done(std::unexpected(std::move(chosen.error())));
    ttl = answer.ttl;
    dane = dane && answer.secure;
    open = chosen->size();
    hosts.resize(open);
    for (std::size_t i = 0; i < chosen->size(); ++i) {
      hosts[i].mx = (*chosen)[i];
      asked->addresses(hosts[i].mx.host, port, [self = shared_from_this(), i](Answer<net::SocketAddress> found) {
        self->on_addresses(i, std::move(found));
      });
    }
  }

  // TLSA records stand under the host's own name or that at the end of its aliases, which is asked for first (RFC 7672
  // section 2.2.2).
  void on_addresses(std::size_t i, Answer<net::SocketAddress> found) {
    LookedUp& host = hosts[i];
    host.addresses = std::move(found);
    if (!dane || host.addresses.status != Status::kFound || !host.addresses.secure) return host_done();
    const std::string& canonical = host.addresses.canonical;
    const bool alias = !canonical.empty() && canonical != host.mx.host;
    ask_tlsa(i, alias ? canonical : host.mx.host, alias);
  }

  void ask_tlsa(std::size_t i, const std::string& base, bool alias) {
    const auto asked = resolver.lock();
    if (!asked) return;
    asked->tlsa(tlsa_name(base, port), [self = shared_from_this(), i, base, alias](Answer<Tlsa> answer) {
      if (answer.status == Status::kFound) self->ttl = std::min(self->ttl, answer.ttl);
      self->hosts[i].dane = dane_of(answer, base);
      if (alias && self->hosts[i].dane.rule == Dane::Rule::kNone) return self->ask_tlsa(i, self->hosts[i].mx.host, false);
      self->host_done();
    });
  }

  void host_done() {
    if (--open == 0) decide();
  }

  void decide() {
    for (const auto& host : hosts) {
      if (host.addresses.status == Status::kFound) ttl = std::min(ttl, host.addresses.ttl);
    }
    auto servers = servers_to_try(domain, hosts, ourselves);
    if (!servers) return done(std::unexpected(std::move(servers.error())));
    done(MailRoute{std::move(*servers), ttl});
  }
};

MailServers::MailServers(std::shared_ptr<Resolver> resolver, Ourselves ourselves, std::uint16_t port, bool dane)
    : resolver_(std::move(resolver)), ourselves_(std::move(ourselves)), port_(port), dane_(dane) {}

void MailServers::find(net::Loop& loop, const std::string& domain, Done done) {
  const auto name = ascii_name(domain);
  if (!name) {
    return loop.later([done = std::move(done), route = of_no_name(domain, ourselves_, port_)] { done(route); });
  }
  const auto search = std::make_shared<Search>();
  search->resolver = resolver_;
  search->ourselves = ourselves_;
  search->port = port_;
  search->dane = dane_;
  search->domain = *name;
  search->chance.seed(chance_());
  search->done = std::move(done);
  search->begin();
}

}  // namespace holdfast::dns
