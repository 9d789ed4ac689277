// Which filters there are, which fail, and whose mail they are not asked about.
#pragma once

#include <string>
#include <vector>

#include "common/admin/filter_report.h"
#include "common/admin/gateway.h"
#include "common/admin/status_report.h"

namespace holdfast::admin {

// `alerts`: those that are open, or nothing while alertd does not answer.
std::vector<FilterLine> filter_lines(const config::Config& config, const std::optional<std::vector<AlertLine>>& alerts);
// Nothing: the configuration alone speaks, and nobody is passed over.
std::optional<BypassLine> bypass_line(const config::Config& config, const config::Domain& domain, const std::optional<storage::DomainRow>& row,
                                      bool down, std::int64_t now_ms);
// Reads the directory, asks alertd.
Filtering look_at_filters(Gateway& gateway);
// Domains of whose mail somebody is asked.
std::size_t filtered_domains(const config::Config& config);

// What the admin wants: "on", "off" or "auto", until when, for which domains. Words for prober's filter.bypass; kUsage and
// kNotFound for what means nothing. `destination` and `domain` may be empty: all domains.
base::Result<std::vector<std::string>> bypass_words(const config::Config& config, const std::string& word, const std::string& length,
                                                    const std::string& destination, const std::string& domain);

}  // namespace holdfast::admin
