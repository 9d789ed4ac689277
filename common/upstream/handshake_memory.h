// Servers whose TLS handshake fails, of a destination that may do without (`tls.policy: may`): for a while the
// handshake is not tried with them, since each try costs a connection and its answers. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "common/base/time.h"

namespace holdfast::upstream {

class HandshakeMemory {
 public:
  static constexpr base::Millis kFor{600'000};
  static constexpr std::size_t kMost = 100;  // addresses; more push out the oldest

  void failed(const std::string& address, base::Mono now);
  // It failed less than kFor ago.
  bool fails(const std::string& address, base::Mono now);
  std::size_t size() const { return until_.size(); }

 private:
  std::map<std::string, base::Mono> until_;
};

}  // namespace holdfast::upstream
