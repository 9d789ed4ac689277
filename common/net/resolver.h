// Host names to addresses, without blocking (getaddrinfo's sources: /etc/hosts, then DNS). MX and TLSA
// lookups are another room.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/net/address.h"
#include "common/net/loop.h"

namespace holdfast::net {

class Resolver {
 public:
  explicit Resolver(Loop& loop);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  using Done = std::function<void(base::Result<std::vector<SocketAddress>>)>;
  // Calls back exactly once, never inside this call; an address literal needs no lookup. Answers are
  // remembered for a minute. A Resolver that is destroyed calls nobody back.
  void resolve(const std::string& host, std::uint16_t port, Done done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::net
