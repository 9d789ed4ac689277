// What Postfix relays, and where to: relay_domains, transport_maps, relay_recipient_maps and some settings beside them
// (postconf(5), transport(5)).
#pragma once

#include <string>

#include "import/found.h"

namespace holdfast::importer {

// `main_cf`: the text of main.cf, or what `postconf -n` prints; `source` is what the result says of it.
// kData: it is neither, or says nothing that could be relayed.
base::Result<Found> import_postfix(const std::string& main_cf, const std::string& source, const ReadFile& read);

}  // namespace holdfast::importer
