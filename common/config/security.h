// What of TLS and passwords must fit together, and the files they are in.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/config/finish.h"

namespace holdfast::config {

// Values only.
void finish_security(Draft& draft);
// Reads the files: certificates with their keys, CAs, passwords.
void check_security_files(Draft& draft);

// The certificates, keys, CA and password files of all roads to servers, and the trust anchors; with `ours` those that clients see, too.
std::vector<std::string> secret_files(const Config& config, bool ours);

// The first line of the password file. The error never holds what is in the file.
base::Result<std::string> read_password(const Auth& auth);

}  // namespace holdfast::config
