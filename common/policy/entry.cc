#include "common/policy/entry.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/base/idn.h"
#include "common/base/text.h"
#include "common/policy/regex.h"

namespace holdfast::policy {
namespace {

constexpr std::size_t kLongest = 512;  // but for regular expressions

std::unexpected<base::Error> refuse(std::string_view text, std::string_view why) {
  return base::fail(base::Kind::kConfig, fmt::format("'{}' {}", base::printable(text), why));
}

bool has_odd_octet(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= 32 || c == 127; });
}

bool is_label(std::string_view label) {
  const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  return !label.empty() && label.size() <= 63 && std::ranges::all_of(label, good);
}

// "" if it can be no domain.
std::string domain_key(std::string_view text) {
  const auto name = base::ascii_domain(text);
  if (!name || name->size() > 253) return "";
  return std::ranges::all_of(base::split(*name, '.'), is_label) ? *name : "";
}

base::Result<Entry> parse_domain(std::string_view text) {
  if (text.find('*') != text.npos) return refuse(text, "has a '*': .example.org stands for a domain and all below it");
  const bool below = text.starts_with('.');
  std::string key = domain_key(text.substr(below ? 1 : 0));
  if (key.empty()) return refuse(text, "is no domain");
  return Entry{.form = below ? Entry::Form::kSubdomains : Entry::Form::kDomain, .key = std::move(key)};
}

base::Result<Entry> parse_client(std::string_view text) {
  if (const auto network = base::Network::parse(text)) return Entry{.form = Entry::Form::kNetwork, .network = *network};
  const auto slash = text.find('/');
  if (base::IpAddress::parse(text.substr(0, slash))) {
    return refuse(text, "is no network: a prefix has 0 to 32 bits (IPv6: 128), and those behind it are zero");
  }
  if (slash != text.npos || text.find('@') != text.npos) return refuse(text, "is neither a network nor a name");
  return parse_domain(text);
}

base::Result<Entry> parse_helo(std::string_view text) {
  const bool literal = text.starts_with('[') && text.ends_with(']') && text.size() > 2;
  if (literal || base::IpAddress::parse(text)) return Entry{.form = Entry::Form::kExact, .key = base::to_lower(text)};
  return parse_domain(text);
}

base::Result<Entry> parse_mailbox(ListKind kind, std::string_view text) {
  if (text == "<>") {
    if (kind == ListKind::kSender) return Entry{.form = Entry::Form::kExact, .key = ""};
    return refuse(text, "can be no recipient");
  }
  const auto at = text.rfind('@');
  if (at == text.npos) return parse_domain(text);
  if (at == 0) return refuse(text, "has no local part: write the domain alone");
  std::string local = base::to_lower(text.substr(0, at));
  if (at + 1 == text.size()) return Entry{.form = Entry::Form::kLocal, .key = std::move(local)};
  const auto domain = text.substr(at + 1);
  const bool literal = domain.starts_with('[') && domain.ends_with(']');
  const std::string key = literal ? base::to_lower(domain) : domain_key(domain);
  if (key.empty()) return refuse(text, "is no address");
  return Entry{.form = Entry::Form::kExact, .key = fmt::format("{}@{}", local, key)};
}

}  // namespace

std::string_view to_text(ListKind kind) {
  switch (kind) {
    case ListKind::kClient: return "client";
    case ListKind::kHelo: return "helo";
    case ListKind::kSender: return "sender";
    case ListKind::kRecipient: return "recipient";
  }
  return "";
}

base::Result<Entry> parse_entry(ListKind kind, std::string_view text) {
  if (text.empty()) return refuse(text, "is no entry");
  if (text.starts_with('/')) {
    if (text.size() < 3 || !text.ends_with('/')) return refuse(text, "begins a regular expression, which ends with '/' and is not empty");
    const auto regex = Regex::compile(text.substr(1, text.size() - 2));
    if (!regex) return std::unexpected(regex.error());
    return Entry{.form = Entry::Form::kRegex, .key = regex->pattern()};
  }
  if (text.size() > kLongest) return refuse(text.substr(0, 40), "and so on is too long");
  if (has_odd_octet(text)) return refuse(text, "has a blank or a control character in it");
  if (kind == ListKind::kClient) return parse_client(text);
  return kind == ListKind::kHelo ? parse_helo(text) : parse_mailbox(kind, text);
}

}  // namespace holdfast::policy
