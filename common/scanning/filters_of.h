// Which of the configured filters are asked after a message: by its recipients' domain, and where its client came to.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/filtering/spec.h"

namespace holdfast::scanning {

// Places in Config::filters, ascending.
using Set = std::vector<std::size_t>;

// `listener` as net::SocketAddress::text() has it; empty: not known, and then every listener's filters are asked.
Set asked_after(const config::Config& config, const config::Domain& domain, std::string_view listener);

// Of checked settings: an address is one.
filtering::FilterSpec spec_of(const config::Filter& filter, const config::Paths& paths);
std::vector<filtering::FilterSpec> specs_of(const config::Config& config, const Set& set);

}  // namespace holdfast::scanning
