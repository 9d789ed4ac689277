// TLS for a server whose bytes somebody else moves: libevent's evhttp in webd. All other servers use TlsServer and Stream.
#pragma once

#include <memory>

#include "common/net/tls.h"

namespace holdfast::net {

// TLS 1.2 and 1.3, set up as tls.h says. What was made never changes.
class Https {
 public:
  // Reads the files: kConfig names the one that cannot be used.
  static base::Result<std::shared_ptr<const Https>> make(const KeyPair& pair);
  // The server's side of a new connection; the caller frees it (libevent does, with BEV_OPT_CLOSE_ON_FREE).
  ssl_st* new_session() const;

 private:
  Https() = default;
  detail::ContextPtr context_;
};

}  // namespace holdfast::net
