// Destinations and domains as they stand now.
#pragma once

#include <string>
#include <vector>

#include "common/admin/dest_report.h"
#include "common/admin/gateway.h"

namespace holdfast::admin {

// They point into the gateway's configuration.
DomainView view_of(Gateway& gateway, const config::Domain& domain);
DestinationView view_of(Gateway& gateway, const config::Destination& destination);

// By its name, or by that of a destination by MX of which there is one domain; kNotFound names the nearest.
base::Result<const config::Destination*> find_destination(const Gateway& gateway, const std::string& name);

// Its servers; by MX those that the prober has found.
std::vector<config::HostPort> servers_of(Gateway& gateway, const config::Destination& destination);
// A domain whose mail goes there; empty: there is none.
std::string domain_of(const Gateway& gateway, const config::Destination& destination);

}  // namespace holdfast::admin
