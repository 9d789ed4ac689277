// Senders whose quarantined mail an admin has let go with "and allow": entries of the sender allow list, in a file of the
// state folder that is read besides those of the configuration (config::allowed_senders_file).
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"

namespace holdfast::admin {

// Whether the address can be an entry: kData for the null sender and for what would mean more than one address.
base::Status allowable(const std::string& sender);

// Adds those that are not there; how many were new. `by` and `date` stand behind them as a comment. Safe for several
// processes at once. All or none: kData names the first that cannot be an entry.
base::Result<std::size_t> allow_senders(const std::string& file, const std::vector<std::string>& senders, const std::string& by,
                                        const std::string& date);

}  // namespace holdfast::admin
