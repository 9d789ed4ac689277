#include "common/policy/match_set.h"

#include <algorithm>

#include "common/base/text.h"

namespace holdfast::policy {
namespace {

// An IPv4 address is one of ::ffff:0:0/96 here: ::/0 has it, too.
base::IpAddress masked(base::IpAddress address, int bits) {
  for (int i = 0; i < 16; ++i) {
    const int covered = std::clamp(bits - 8 * i, 0, 8);
    address.octets[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff << (8 - covered));
  }
  return address;
}

}  // namespace

std::size_t MatchSet::HashAddress::operator()(const base::IpAddress& address) const {
  return std::hash<std::string_view>{}({reinterpret_cast<const char*>(address.octets.data()), address.octets.size()});
}

void MatchSet::add(Entry entry, Origin origin) {
  ++size_;
  switch (entry.form) {
    case Entry::Form::kExact: exact_.try_emplace(std::move(entry.key), origin); return;
    case Entry::Form::kLocal: local_.try_emplace(std::move(entry.key), origin); return;
    case Entry::Form::kDomain: domains_.try_emplace(std::move(entry.key), origin); return;
    case Entry::Form::kSubdomains: subdomains_.try_emplace(std::move(entry.key), origin); return;
    case Entry::Form::kNetwork: break;
    case Entry::Form::kRegex:
      if (auto made = Regex::compile(entry.key)) regexes_.emplace_back(std::move(*made), origin);
      return;
  }
  auto at = std::ranges::find_if(prefixes_, [&](const Prefix& p) { return p.bits <= entry.network.bits; });
  if (at == prefixes_.end() || at->bits != entry.network.bits) at = prefixes_.insert(at, {.bits = entry.network.bits});
  at->networks.try_emplace(entry.network.first, origin);
}

std::optional<MatchSet::Found> MatchSet::exact(std::string_view key) const {
  const auto at = exact_.find(key);
  if (at == exact_.end()) return std::nullopt;
  return Found{at->first.empty() ? "<>" : at->first, at->second};
}

// The name itself, then each that it lies below.
std::optional<MatchSet::Found> MatchSet::domain(std::string_view name) const {
  if (name.empty()) return std::nullopt;
  if (const auto at = domains_.find(name); at != domains_.end()) return Found{at->first, at->second};
  if (subdomains_.empty()) return std::nullopt;
  for (std::string_view rest = name;;) {
    if (const auto at = subdomains_.find(rest); at != subdomains_.end()) return Found{"." + at->first, at->second};
    const auto dot = rest.find('.');
    if (dot == rest.npos) return std::nullopt;
    rest.remove_prefix(dot + 1);
  }
}

std::optional<MatchSet::Found> MatchSet::regex(std::string_view subject) const {
  for (const auto& [regex, origin] : regexes_) {
    const auto found = regex.search(subject);
    if (found == Regex::Found::kYes) return Found{"/" + regex.pattern() + "/", origin};
    if (found == Regex::Found::kGaveUp) ++gave_up_;
  }
  return std::nullopt;
}

std::optional<MatchSet::Found> MatchSet::client(const base::IpAddress& address, std::string_view name) const {
  for (const auto& prefix : prefixes_) {
    const auto at = prefix.networks.find(masked(address, prefix.bits));
    if (at != prefix.networks.end()) return Found{base::Network{at->first, prefix.bits}.text(), at->second};
  }
  const std::string lower = base::to_lower(name);
  if (auto found = domain(lower)) return found;
  if (regexes_.empty()) return std::nullopt;
  if (!lower.empty()) {
    if (auto found = regex(lower)) return found;
  }
  return regex(address.text());
}

std::optional<MatchSet::Found> MatchSet::name(std::string_view helo) const {
  const std::string lower = base::to_lower(helo);
  if (auto found = exact(lower)) return found;
  if (auto found = domain(lower)) return found;
  return regex(lower);
}

std::optional<MatchSet::Found> MatchSet::mailbox(std::string_view address, std::string_view key) const {
  if (auto found = exact(address)) return found;
  if (!key.empty() && key != address) {
    if (auto found = exact(key)) return found;
  }
  const auto sign = address.rfind('@');
  const auto local_of = [](std::string_view whole) { return whole.substr(0, whole.rfind('@')); };
  if (!address.empty()) {
    if (sign != address.npos) {
      if (auto found = domain(address.substr(sign + 1))) return found;
    }
    for (const auto& local : {local_of(address), local_of(key)}) {
      if (const auto at = local_.find(local); !local.empty() && at != local_.end()) return Found{at->first + "@", at->second};
    }
  }
  return regex(address);
}

}  // namespace holdfast::policy
