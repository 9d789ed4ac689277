// What Exim relays, and where to, as far as its file says so for sure: a domainlist's names, and routers that send them by
// manualroute or to their MX under no further condition. Everything else is told and left to the admin.
#pragma once

#include <string>

#include "import/found.h"

namespace holdfast::importer {

// `domain_list`: the name of the domainlist that is relayed (relay_to_domains in Exim's own file and in Debian's).
// kData: the file cannot be understood, or has no such list.
base::Result<Found> import_exim(const std::string& text, const std::string& source, const std::string& domain_list,
                                const ReadFile& read);

}  // namespace holdfast::importer
