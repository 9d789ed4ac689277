// Questions to the domain name system, without blocking: libunbound on the event loop. It forwards to the
// name servers it is given, else to those of /etc/resolv.conf; its caches follow the records' TTL and are
// bounded (kCacheBytes). libunbound asks on a thread of its own, which is begun with the first question.
//
// With trust anchors it validates (DNSSEC): what is bogus is a failure, and answers say whether they are secure.
//
// Belongs to the loop's thread. /etc/hosts is not read: mail is routed by the DNS (net::Resolver, which
// looks up the servers that an admin has named, reads it).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/dns/answers.h"
#include "common/dns/tlsa.h"
#include "common/net/loop.h"

namespace holdfast::dns {

inline constexpr std::size_t kCacheBytes = 4 << 20;

struct ResolverOptions {
  std::vector<net::SocketAddress> servers;  // empty: those of /etc/resolv.conf
  net::Millis timeout{20'000};              // for one question
  std::string trust_anchors{};              // of DNSSEC: DS or DNSKEY records, one a line; empty: nothing is validated
  // Answers that cannot be validated are failures. Else only once the name servers have shown that they pass DNSSEC on:
  // until then nothing is secure, and nothing is lost by name servers that do not.
  bool strict = false;
};

class Resolver {
 public:
  Resolver(net::Loop& loop, ResolverOptions options);
  ~Resolver();  // calls nobody back; waits a moment for libunbound's thread
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  template <class T>
  using Done = std::function<void(Answer<T>)>;
  // Each calls back exactly once, never inside the call, within the timeout. Aliases (CNAME) are followed.
  void mx(const std::string& name, Done<Mx> done);
  // The names that the address's own zone gives it (PTR): a claim, until one of them has that address.
  void names(const base::IpAddress& address, Done<std::string> done);
  void tlsa(const std::string& name, Done<Tlsa> done);
  // IPv4 alone, as block lists answer: four octets each.
  void ipv4(const std::string& name, Done<std::array<std::uint8_t, 4>> done);
  // IPv4 before IPv6. Secure if what was found is. kFailed only if nothing was found and one of the two families could not be asked for.
  void addresses(const std::string& name, std::uint16_t port, Done<net::SocketAddress> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::dns
