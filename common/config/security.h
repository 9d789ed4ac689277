// What of TLS and passwords must fit together, and the files they are in.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/config/finish.h"

namespace holdfast::config {

// Values only.
void finish_security(Draft& draft);
// Reads the files: certificates with their keys, CAs, passwords.
void check_security_files(Draft& draft);

// Files that master reads for a daemon (decision 14). kRoads: certificates, keys, CAs and passwords of all roads to servers,
// and the trust anchors; kSmtpd: those that clients see, too; kAlertd: what its own roads need, and the certificates of all the
// others, without their keys, to see when they end.
enum class Reader { kSmtpd, kRoads, kAlertd };
std::vector<std::string> secret_files(const Config& config, Reader reader);
// Those of the certificates alone, which are shown to anybody.
std::set<std::string> certificate_files(const Config& config);

// The same without what opens a door and lies in no file of its own: webhooks' addresses, headers and templates, and what
// alerts' command is called with.
Config without_secrets(Config config);

// The first line of the password file. The error never holds what is in the file.
base::Result<std::string> read_password(const Auth& auth);

}  // namespace holdfast::config
