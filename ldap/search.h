// Mail addresses from a directory, by LDAP (RFC 4511): Active Directory, OpenLDAP and their like. Blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace holdfast::ldap {

struct Wishes {
  std::string uri;             // "ldaps://dc.example.org", "ldap://127.0.0.1:389"
  bool starttls = false;       // with ldap://: nothing is said before it
  std::string ca_file;         // whom certificates must come from; empty: the system's
  std::string bind, password;  // empty: anonymous
  std::string base;            // "dc=example,dc=org"
  std::string filter = "(|(mail=*)(proxyAddresses=*))";
  std::vector<std::string> attributes = {"mail", "proxyAddresses", "mailAlternateAddress"};
  int timeout_seconds = 30;    // for each answer
  int page = 500;              // entries a question, where the server takes RFC 2696: it may bound what one may hold
};

// Each address once, in lower case, in the order in which they come. kUnavailable, kPermission (the password), kUsage
// (the filter), kData (it broke off).
base::Result<std::uint64_t> search(const Wishes& wishes, const std::function<void(const std::string&)>& found);

// The address that a value holds: "a@example.org", "SMTP:a@example.org"; empty: none ("X500:…", "sip:…"). Pure.
std::string address_in(std::string_view value);

}  // namespace holdfast::ldap
