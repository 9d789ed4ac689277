#include "common/policy/lists.h"

#include <fmt/format.h>

#include "common/base/idn.h"
#include "common/base/text.h"

namespace holdfast::policy {

std::uint32_t Lists::add_file(std::string name) {
  files_.push_back(std::move(name));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

void Lists::add(ListKind kind, bool allow, Entry entry, Origin origin) {
  Pair& pair = pairs_[static_cast<std::size_t>(kind)];
  (allow ? pair.allow : pair.block).add(std::move(entry), origin);
}

Match Lists::match(ListKind kind, bool allow, MatchSet::Found found) const {
  const std::string_view file = found.origin.file < files_.size() ? std::string_view(files_[found.origin.file]) : "";
  return {.kind = kind, .allow = allow, .entry = std::move(found.entry), .place = fmt::format("{}:{}", file, found.origin.line)};
}

template <class Ask>
std::optional<Match> Lists::decide(ListKind kind, const Ask& ask) const {
  const Pair& pair = of(kind);
  if (pair.allow.size() > 0) {
    if (auto found = ask(pair.allow)) return match(kind, true, std::move(*found));
  }
  if (pair.block.size() > 0) {
    if (auto found = ask(pair.block)) return match(kind, false, std::move(*found));
  }
  return std::nullopt;
}

template <class Ask>
std::vector<Match> Lists::both(ListKind kind, const Ask& ask) const {
  std::vector<Match> out;
  if (auto found = ask(of(kind).allow)) out.push_back(match(kind, true, std::move(*found)));
  if (auto found = ask(of(kind).block)) out.push_back(match(kind, false, std::move(*found)));
  return out;
}

std::optional<Match> Lists::judge(const Visit& visit) const {
  using enum ListKind;
  if (auto found = decide(kClient, [&](const MatchSet& set) { return set.client(visit.client, visit.name); })) return found;
  if (auto found = decide(kHelo, [&](const MatchSet& set) { return set.name(visit.helo); })) return found;
  if (auto found = decide(kSender, [&](const MatchSet& set) { return set.mailbox(list_key(visit.sender)); })) return found;
  return decide(kRecipient, [&](const MatchSet& set) { return set.mailbox(list_key(visit.recipient), visit.recipient_key); });
}

std::vector<Match> Lists::matches(ListKind kind, std::string_view subject) const {
  if (kind == ListKind::kHelo) return both(kind, [&](const MatchSet& set) { return set.name(subject); });
  return both(kind, [&](const MatchSet& set) { return set.mailbox(list_key(subject)); });
}

std::vector<Match> Lists::client_matches(const std::optional<base::IpAddress>& address, std::string_view name) const {
  return both(ListKind::kClient, [&](const MatchSet& set) {
    return address ? set.client(*address, name) : set.name(name);
  });
}

std::size_t Lists::size() const {
  std::size_t out = 0;
  for (const auto& pair : pairs_) out += pair.allow.size() + pair.block.size();
  return out;
}

std::size_t Lists::regexes() const {
  std::size_t out = 0;
  for (const auto& pair : pairs_) out += pair.allow.regexes() + pair.block.regexes();
  return out;
}

std::uint64_t Lists::gave_up() const {
  std::uint64_t out = 0;
  for (const auto& pair : pairs_) out += pair.allow.gave_up() + pair.block.gave_up();
  return out;
}

std::string list_key(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == address.npos) return base::to_lower(address);
  const auto domain = address.substr(at + 1);
  return fmt::format("{}@{}", base::to_lower(address.substr(0, at)), base::ascii_domain(domain).value_or(base::to_lower(domain)));
}

std::string refusal_text(ListKind kind, const Visit& visit) {
  switch (kind) {
    case ListKind::kClient:
      return fmt::format("<{}[{}]>: Client host rejected: Access denied", visit.name.empty() ? "unknown" : visit.name, visit.client.text());
    case ListKind::kHelo: return fmt::format("<{}>: Helo command rejected: Access denied", visit.helo);
    case ListKind::kSender: return fmt::format("<{}>: Sender address rejected: Access denied", visit.sender);
    case ListKind::kRecipient: return fmt::format("<{}>: Recipient address rejected: Access denied", visit.recipient);
  }
  return "";
}

}  // namespace holdfast::policy
