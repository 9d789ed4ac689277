#include "common/base/text.h"
#include "common/mail/address.h"
#include "ldap/search.h"

namespace holdfast::ldap {

std::string address_in(std::string_view value) {
  value = base::trim(value);
  const auto colon = value.find(':');
  if (colon != value.npos) {
    if (base::to_lower(value.substr(0, colon)) != "smtp") return {};
    value.remove_prefix(colon + 1);
  }
  const auto address = mail::parse_address(value);
  return address && !address->domain.empty() ? base::to_lower(value) : std::string();
}

}  // namespace holdfast::ldap
