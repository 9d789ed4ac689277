// What was found in another mail system's configuration: plain data between those who read one (postfix.h, exim.h) and
// who writes gateway.yaml (write_yaml.h).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/error.h"

namespace holdfast::importer {

// Where a domain's mail goes. Equal ones become one destination.
struct Target {
  bool mx = false;                   // to its MX; else to `servers`, in this order
  std::vector<std::string> servers;  // "10.0.0.5:25", "[2001:db8::1]:25", "mail.example.test:2525"
  int mx_port = 25;
  bool lmtp = false;
  bool operator==(const Target&) const = default;
};

struct Domain {
  Target target;
  std::vector<std::string> recipients;  // local parts of its known recipients
  bool any_recipient = false;           // all of them
  std::vector<std::string> checks;      // what only the admin can know
};

struct Found {
  std::string source;                                           // "Postfix's /etc/postfix/main.cf"
  std::vector<std::pair<std::string, std::string>> settings;    // "smtpd.message_size_limit", YAML; dots are levels
  std::vector<std::pair<std::string, std::string>> of_servers;  // the same, of each destination: "tls.policy", "encrypt"
  std::map<std::string, Domain> domains;                        // by their names in lower case
  std::vector<std::string> checks;                              // of the whole
  std::vector<std::string> left;                                // what could not be taken over, and why

  void leave(std::string what) { left.push_back(std::move(what)); }
};

// A file's content; how the readers see the disk.
using ReadFile = std::function<base::Result<std::string>(const std::string& path)>;

}  // namespace holdfast::importer
