#include <algorithm>

#include "common/base/text.h"
#include "common/storage/queue_index.h"

namespace holdfast::storage {
namespace {

std::string_view domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

// An address, "@domain", or "<>".
bool address_matches(std::string_view pattern, std::string_view address) {
  if (pattern == "<>") return address.empty();
  if (pattern.starts_with('@')) return base::iequals(pattern.substr(1), domain_of(address));
  return base::iequals(pattern, address);
}

// In ASCII.
bool contains_any_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) { return base::iequals({&a, 1}, {&b, 1}); };
  return !std::ranges::search(text, part, same).empty();
}

}  // namespace

bool QueueFilter::matches(const MessageRow& row) const {
  if (state && row.state != *state) return false;
  if (!destination.empty() && row.destination != destination) return false;
  if (unfiltered && !row.unfiltered) return false;
  if (!held_by.empty() && (row.state != MessageState::kHeld || !contains_any_case(row.reason, held_by))) return false;
  return sender.empty() || address_matches(sender, row.sender);
}

bool QueueFilter::matches(const std::vector<RecipientState>& recipients) const {
  const auto any = [&](const auto& test) { return std::any_of(recipients.begin(), recipients.end(), test); };
  if (!domain.empty() && !any([&](const auto& r) { return base::iequals(domain, domain_of(r.address)); })) return false;
  return recipient.empty() || any([&](const auto& r) { return address_matches(recipient, r.address); });
}

}  // namespace holdfast::storage
