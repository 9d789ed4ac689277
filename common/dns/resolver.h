// Questions to the domain name system, without blocking: libunbound on the event loop. It forwards to the
// name servers it is given, else to those of /etc/resolv.conf; its caches follow the records' TTL and are
// bounded (kCacheBytes). libunbound asks on a thread of its own, which is begun with the first question.
//
// Belongs to the loop's thread. /etc/hosts is not read: mail is routed by the DNS (net::Resolver, which
// looks up the servers that an admin has named, reads it).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/dns/answers.h"
#include "common/net/loop.h"

namespace holdfast::dns {

inline constexpr std::size_t kCacheBytes = 4 << 20;

struct ResolverOptions {
  std::vector<net::SocketAddress> servers;  // empty: those of /etc/resolv.conf
  net::Millis timeout{20'000};              // for one question
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
  // IPv4 before IPv6. kFailed only if nothing was found and one of the two families could not be asked for.
  void addresses(const std::string& name, std::uint16_t port, Done<net::SocketAddress> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::dns
