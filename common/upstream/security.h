// How connections to a server are secured, and who we say we are. Made once for a destination, shared by its
// connections.
#pragma once

#include <memory>
#include <string>

#include "common/net/tls.h"

namespace holdfast::upstream {

struct Security {
  enum class Tls {
    kOff,
    kMay,   // where STARTTLS is offered; in the clear, on a connection of its own, where that fails
    kMust,  // else the connection fails, stage kStartTls
  };
  Tls tls = Tls::kOff;
  std::shared_ptr<const net::TlsClient> client;  // not null unless kOff
  net::KeyPair own;                              // that `client` shows to a server that asks for one; empty: none
  std::string name;                              // asked for and verified; empty: the server's own
  std::string user, password;                    // empty: no AUTH
  bool plaintext = false;                        // the password may go in the clear
  // Not empty: it could not be set up, and every connection fails by this.
  std::string fault;
  // Of two that are the same in effect it is equal: what they were made from, files included. Never to be shown.
  std::string origin;
};

}  // namespace holdfast::upstream
