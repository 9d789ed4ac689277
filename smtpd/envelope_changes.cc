#include "smtpd/envelope_changes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/mail/address.h"

namespace holdfast::smtpd {
namespace {

bool belongs(const mail::Address& address, const config::Config& config, std::string_view destination) {
  const auto* domain = config.find_domain(address.domain);
  return domain != nullptr && domain->destination == destination;
}

}  // namespace

std::vector<std::string> change_envelope(const filtering::EnvelopeChanges& changes, const config::Config& config,
                                         std::string_view destination, bool utf8, std::string& sender,
                                         std::vector<mail::Recipient>& recipients) {
  std::vector<std::string> left_out;
  if (changes.sender) {
    const auto& text = *changes.sender;
    if (text.empty() || mail::parse_address(text, utf8)) sender = text;
    else left_out.push_back(fmt::format("the sender <{}>, which is no address", base::printable(text)));
  }
  for (const auto& gone : changes.deleted) {
    std::erase_if(recipients, [&](const mail::Recipient& one) { return base::iequals(one.address, gone); });
  }
  for (const auto& more : changes.added) {
    const auto& text = more.address;
    const auto address = mail::parse_address(text, utf8);
    if (!address || !belongs(*address, config, destination)) {
      left_out.push_back(fmt::format("the recipient <{}>, who is not of destination {}", base::printable(text), destination));
      continue;
    }
    const auto is_he = [&](const mail::Recipient& one) { return base::iequals(one.address, text); };
    if (std::ranges::none_of(recipients, is_he)) {
      recipients.push_back({.address = text, .orcpt = {}, .notify = "NEVER", .known = false});
    }
  }
  return left_out;
}

}  // namespace holdfast::smtpd
