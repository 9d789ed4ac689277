// nsd with a zone of a test's own, on loopback, and a port where nobody answers.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "common/net/address.h"

namespace holdfast::dns {

class NameServer {
 public:
  // The records of zone "mail.test", as in a zone file.
  explicit NameServer(std::string_view records);
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  void stop();
  const net::SocketAddress& address() const { return address_; }

 private:
  bool start();
  bool answers() const;

  std::string folder_;
  net::SocketAddress address_;
  pid_t pid_ = -1;
};

// Takes questions and never answers.
class SilentServer {
 public:
  SilentServer();
  net::SocketAddress address() const;

 private:
  base::UniqueFd fd_;
};

}  // namespace holdfast::dns
