// TLS and AUTH of a destination's connections, as the configuration has them.
#pragma once

#include <memory>

#include "common/config/config.h"
#include "common/upstream/security.h"

namespace holdfast::destination {

// Null: neither is wanted. Reads certificates, CAs and the password: at start and on a reload. What cannot be read
// makes every connection fail (Security::fault), but for policy `may` without a password, where it is only logged.
std::shared_ptr<const upstream::Security> security_of(const config::Destination& destination);

// Security::origin of what security_of() would make now.
std::string security_origin(const config::Destination& destination);

}  // namespace holdfast::destination
