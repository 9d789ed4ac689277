// The certificates that clients are shown.
#pragma once

#include <memory>

#include "common/config/config.h"
#include "common/net/tls.h"

namespace holdfast::smtpd {

// As the configuration says, read from their files; null: none, STARTTLS is not offered. When they cannot be used the
// log says so and `before` stays: a bad renewal must not send the world's mail into the clear. Blocks.
std::shared_ptr<const net::TlsServer> certificates(const config::Tls& tls, std::shared_ptr<const net::TlsServer> before);

}  // namespace holdfast::smtpd
