// Finds the servers that take a domain's mail: MX, then the addresses of those hosts.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <random>
#include <string>

#include "common/dns/mail_route.h"
#include "common/dns/resolver.h"

namespace holdfast::dns {

struct MailRoute {
  std::vector<MailServer> servers;  // in the order in which to try them, not empty
  base::Seconds ttl{0};             // holds so long
};

class MailServers {
 public:
  // `port`: 25, but in tests. `dane`: servers whose MX and addresses are secure are asked for their TLSA records.
  MailServers(std::shared_ptr<Resolver> resolver, Ourselves ourselves, std::uint16_t port, bool dane = false);

  using Done = std::function<void(std::expected<MailRoute, Refusal>)>;
  // Calls back exactly once, never inside this call, and not after the Resolver's end. An address literal
  // ("[192.0.2.1]", "[IPv6:2001:db8::1]") is its own server.
  void find(net::Loop& loop, const std::string& domain, Done done);

 private:
  struct Search;

  std::shared_ptr<Resolver> resolver_;
  Ourselves ourselves_;
  std::uint16_t port_;
  bool dane_;
  std::mt19937 chance_{std::random_device{}()};
};

}  // namespace holdfast::dns
