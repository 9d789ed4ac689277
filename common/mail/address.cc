#include "common/mail/address.h"

#include <algorithm>

#include "common/base/idn.h"
#include "common/base/text.h"
#include "common/mail/report_text.h"

namespace holdfast::mail {
namespace {

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_atext_or_dot(char c) {
  return is_alnum(c) || std::string_view(".!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_high(char c) { return static_cast<unsigned char>(c) > 127; }

bool has_high(std::string_view s) { return std::any_of(s.begin(), s.end(), is_high); }

// qtextSMTP, or what stands behind a backslash.
bool is_quotable(char c, bool utf8) { return (c >= 32 && c < 127) || (utf8 && is_high(c)); }

// The length of the Local-part at the start of `text`; 0 if there is none.
std::size_t local_length(std::string_view text, bool utf8) {
  if (text.empty() || text.front() != '"') {
    const auto fits = [utf8](char c) { return is_atext_or_dot(c) || (utf8 && is_high(c)); };
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), fits) - text.begin());
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (!is_quotable(c, utf8)) return 0;
    if (c == '"') return i + 1;
    if (c == '\\' && (++i == text.size() || !is_quotable(text[i], utf8))) return 0;
  }
  return 0;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(), [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

bool is_ascii_domain(std::string_view domain) {
  if (domain.empty() || domain.size() > kMaxDomain) return false;
  for (const std::string_view label : base::split(domain, '.')) {
    if (!is_label(label)) return false;
  }
  return true;
}

bool is_domain(std::string_view domain, bool utf8) {
  if (!has_high(domain)) return is_ascii_domain(domain);
  if (!utf8 || domain.size() > kMaxDomain) return false;
  const auto ascii = base::ascii_domain(domain);
  return ascii && is_ascii_domain(*ascii);
}

bool is_ipv4(std::string_view text) {
  const auto numbers = base::split(text, '.');
  return numbers.size() == 4 && std::all_of(numbers.begin(), numbers.end(), [](std::string_view n) {
           return n.size() <= 3 && base::to_number(n).value_or(256) < 256;
         });
}

bool is_hex_group(std::string_view text) {
  return !text.empty() && text.size() <= 4 && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

bool is_ipv6(std::string_view text) {
  std::size_t groups = 0;
  bool gap = text.starts_with("::");
  if (gap) text.remove_prefix(2);
  while (!text.empty()) {
    const auto colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    const bool last = colon == std::string_view::npos;
    if (last && is_ipv4(group)) {
      groups += 2;
      break;
    }
    if (!is_hex_group(group)) return false;
    ++groups;
    if (last) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;
    if (text.front() != ':') continue;
    if (gap) return false;
    gap = true;
    text.remove_prefix(1);
  }
  return gap ? groups < 8 : groups == 8;
}

// RFC 5321 section 4.1.3: an IPv4 address, "IPv6:" and one, or another tag and its content; the latter without what
// ends or begins something else for who reads a path from its end.
bool is_literal(std::string_view domain) {
  if (domain.size() < 3 || domain.size() > kMaxDomain || domain.front() != '[' || domain.back() != ']') return false;
  domain = domain.substr(1, domain.size() - 2);
  const auto colon = domain.find(':');
  if (colon == std::string_view::npos) return is_ipv4(domain);
  const std::string_view tag = domain.substr(0, colon), content = domain.substr(colon + 1);
  if (base::iequals(tag, "IPv6")) return is_ipv6(content);
  const bool ldh = !tag.empty() && is_alnum(tag.back()) &&
                   std::all_of(tag.begin(), tag.end(), [](char c) { return is_alnum(c) || c == '-'; });
  return ldh && !content.empty() && std::all_of(content.begin(), content.end(), [](char c) {
    return c > 32 && c < 127 && std::string_view("[]\\<>\"@").find(c) == std::string_view::npos;
  });
}

// Behind a source route ("@a.example,@b.example:"); nothing if it is none.
std::optional<std::string_view> skip_route(std::string_view path, bool utf8) {
  if (path.empty() || path.front() != '@') return path;
  const auto colon = path.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  for (const std::string_view hop : base::split(path.substr(0, colon), ',')) {
    if (hop.empty() || hop.front() != '@' || !is_domain(hop.substr(1), utf8)) return std::nullopt;
  }
  return path.substr(colon + 1);
}

// The ">" that closes a path: one inside a quoted local part does not.
std::size_t closing_bracket(std::string_view path) {
  bool quoted = false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (quoted && path[i] == '\\') {
      ++i;
    } else if (path[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && path[i] == '>') {
      return i;
    }
  }
  return std::string_view::npos;
}

// The local part without its quotes and backslashes, if it needs none of them.
std::string unquote(std::string_view local) {
  if (local.size() < 3 || local.front() != '"') return std::string(local);
  std::string plain;
  for (std::size_t i = 1; i + 1 < local.size(); ++i) {
    if (local[i] == '\\') ++i;
    plain.push_back(local[i]);
  }
  return std::all_of(plain.begin(), plain.end(), is_atext_or_dot) ? plain : std::string(local);
}

}  // namespace

std::string Address::text() const { return domain.empty() ? local : local + '@' + domain; }

bool Address::ascii() const { return !has_high(local) && !has_high(domain); }

std::optional<Address> parse_address(std::string_view text, bool utf8) {
  if (text.size() > kMaxAddress) return std::nullopt;
  if (utf8 && !is_utf8(text)) return std::nullopt;
  const std::size_t at = local_length(text, utf8);
  if (at == 0 || at > kMaxLocal || at >= text.size() || text[at] != '@') return std::nullopt;
  const std::string_view domain = text.substr(at + 1);
  if (!is_domain(domain, utf8) && !is_literal(domain)) return std::nullopt;
  return Address{std::string(text.substr(0, at)), std::string(domain)};
}

std::optional<Address> parse_path(std::string_view text, PathRules rules, std::string_view& rest) {
  if (text.empty() || text.front() != '<') return std::nullopt;
  text.remove_prefix(1);
  const std::size_t end = closing_bracket(text);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view path = text.substr(0, end);
  rest = text.substr(end + 1);
  if (path.empty()) return rules.allow_null ? std::optional(Address{}) : std::nullopt;
  if (rules.allow_postmaster && base::iequals(path, "postmaster")) return Address{std::string(path), {}};
  const auto mailbox = skip_route(path, rules.utf8);
  if (!mailbox) return std::nullopt;
  return parse_address(*mailbox, rules.utf8);
}

std::string recipient_key(const Address& address, std::string_view recipient_delimiter) {
  std::string local = unquote(address.local);
  if (local.empty() || local.front() != '"') {
    const auto at = local.find_first_of(recipient_delimiter);
    if (at != std::string::npos && at > 0) local.resize(at);
  }
  Address key{base::to_lower(local), base::ascii_domain(address.domain).value_or(address.domain)};
  return key.text();
}

bool is_one_time_address(const Address& address) {
  const std::string_view local = address.local;
  if (base::istarts_with(local, "prvs=") || base::istarts_with(local, "msprvs1=") ||
      base::istarts_with(local, "btv1==")) {
    return true;
  }
  const bool srs = base::istarts_with(local, "srs0") || base::istarts_with(local, "srs1");
  return srs && local.size() > 4 && (local[4] == '=' || local[4] == '+' || local[4] == '-');
}

}  // namespace holdfast::mail
