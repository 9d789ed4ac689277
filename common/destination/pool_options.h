// A destination of the configuration as the connection pools of smtpd and deliver see it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/config/config.h"
#include "common/storage/directory.h"
#include "common/upstream/pool.h"

namespace holdfast::destination {

std::vector<upstream::ServerName> server_names(const config::Destination& destination);
// Who waits less for the answer to the dot waits no longer for DATA and between pieces of the content.
upstream::Timeouts timeouts_of(const config::Destination& destination);

upstream::Manner manner_of(const config::Destination& destination);

// A pool for the fixed servers of a destination; `limit` and what the caller wants otherwise are its own.
upstream::PoolOptions pool_options(const config::Destination& destination, const std::string& helo);
// A pool that was made with `options` may stay, the configuration having been read again. One by MX never does: its
// connections are few, and what its servers were found by may have changed.
bool fits(const upstream::PoolOptions& options, const config::Destination& destination, const std::string& helo);

// The prober does not call this server down. What it has not confirmed for three of its intervals says
// nothing any more (design.md section 2), nor does a destination that it has never seen.
bool usable(const std::optional<storage::DestinationRow>& row, const config::Destination& destination,
            const upstream::ServerName& server, base::Wall now);

}  // namespace holdfast::destination
