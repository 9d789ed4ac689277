// Which of the configured filters are asked after a message: by its recipients' domain, and where its client came to.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/filtering/spec.h"

namespace holdfast::scanning {

// Places in Config::filters, ascending.
using Set = std::vector<std::size_t>;

// Whether `where`, an address as net::SocketAddress::text() has it, is one of the listeners (none: all are meant; empty: it is
// not known, and any is). Listeners of all addresses of one kind do not take the other's (net::listen_on).
bool came_by(const std::vector<std::string>& listeners, std::string_view where);

// `listener` as net::SocketAddress::text() has it; empty: not known, and then every listener's filters are asked.
Set asked_after(const config::Config& config, const config::Domain& domain, std::string_view listener);

// Of checked settings: an address is one.
filtering::FilterSpec spec_of(const config::Filter& filter, const config::Config& config);
std::vector<filtering::FilterSpec> specs_of(const config::Config& config, const Set& set);

}  // namespace holdfast::scanning
