// By what a list of mail servers shows that it means this gateway (RFC 5321 section 5.1): our name, and the
// addresses we listen on.
#pragma once

#include <vector>

#include "common/config/config.h"
#include "common/dns/mail_route.h"

namespace holdfast::destination {

// `address` is one of the listening ones: the very same, or, where we listen on all (0.0.0.0, ::), one of
// this host's with that port. Pure.
bool listens_on(const std::vector<config::HostPort>& listen, const std::vector<net::SocketAddress>& of_this_host,
                const net::SocketAddress& address);

// Asks for the addresses of this host each time: they may come and go.
dns::Ourselves ourselves(const config::Config& config);

}  // namespace holdfast::destination
