#include "smtpd/copies.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/config/report_road.h"
#include "common/mail/address.h"
#include "common/mail/header_gate.h"

namespace holdfast::smtpd {
namespace {

using Pair = decltype(config::Config::copies)::value_type;  // whose copy, and where it goes

// Nothing: no copy is made for him.
const Pair* pair_of(const config::Config& config, const std::string& recipient) {
  const auto address = mail::parse_address(recipient, true);
  if (!address) return nullptr;
  const auto at = config.copies.find(mail::recipient_key(*address, config.recipient_delimiter));
  return at == config.copies.end() ? nullptr : &*at;
}

bool among(const std::vector<mail::Recipient>& recipients, const std::string& address) {
  return std::ranges::any_of(recipients, [&](const auto& one) { return base::iequals(one.address, address); });
}

mail::Envelope copy_for(const config::Config& config, const mail::Envelope& original, const Pair& pair) {
  const auto& target = pair.second;
  mail::Envelope out = original;
  out.sender = pair.first;
  out.recipients = {{.address = target, .orcpt = {}, .notify = "NEVER", .known = false}};
  out.destination = config::report_destination(config, target);
  out.unfiltered = original.unfiltered && out.destination != config::kBounces;
  out.ret.clear();
  out.envid.clear();
  return out;
}

}  // namespace

std::vector<mail::Envelope> copies_of(const config::Config& config, const mail::Envelope& original) {
  std::vector<mail::Envelope> out;
  if (config.copies.empty() || original.sender.empty() || !original.hold.empty()) return out;
  for (const auto& recipient : original.recipients) {
    const auto* pair = pair_of(config, recipient.address);
    if (pair == nullptr || among(original.recipients, pair->second)) continue;
    if (std::ranges::any_of(out, [&](const auto& made) { return among(made.recipients, pair->second); })) continue;
    out.push_back(copy_for(config, original, *pair));
  }
  return out;
}

std::string copy_mark(const std::string& original_id) { return fmt::format("{}{}\r\n", mail::kCopyField, original_id); }

}  // namespace holdfast::smtpd
