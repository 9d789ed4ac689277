// TLS and AUTH of a destination's connections, as the configuration has them.
#pragma once

#include <memory>

#include "common/config/config.h"
#include "common/dns/mail_route.h"
#include "common/upstream/security.h"

namespace holdfast::destination {

// Null: neither is wanted. Reads certificates, CAs and the password: at start and on a reload. What cannot be read
// makes every connection fail (Security::fault), but for policy `may` without a password, where it is only logged.
std::shared_ptr<const upstream::Security> security_of(const config::Destination& destination);

// TLSA records are asked for: `tls.dane` says so, and the policy leaves it open how a server is checked.
bool wants_dane(const config::Destination& destination);

// What DANE asks of one server of `domain` beside what is usual for its destination (may be null); null: nothing. Where its records
// cannot be used that is encryption, and a policy that verifies does so still.
std::shared_ptr<const upstream::Security> dane_security(const std::shared_ptr<const upstream::Security>& usual,
                                                        const dns::MailServer& server, const std::string& domain);

// Security::origin of what security_of() would make now.
std::string security_origin(const config::Destination& destination);

}  // namespace holdfast::destination
