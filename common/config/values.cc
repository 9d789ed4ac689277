#include "common/config/values.h"

#include <algorithm>
#include <array>
#include <utility>

#include <arpa/inet.h>
#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::config {
namespace {

using base::fail;
using base::Kind;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kDurationUnits{Unit{"d", 86400}, Unit{"h", 3600}, Unit{"m", 60}, Unit{"s", 1}};
constexpr std::array kSizeUnits{Unit{"GiB", 1ULL << 30}, Unit{"MiB", 1ULL << 20}, Unit{"KiB", 1ULL << 10}};
// Nothing that we measure is longer; keeps every sum far from overflow.
constexpr std::uint64_t kLongest = 100ULL * 365 * 86400;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

const Unit* take_duration_unit(std::string_view& text) {
  for (const auto& unit : kDurationUnits) {
    if (text.starts_with(unit.name)) {
      text.remove_prefix(unit.name.size());
      return &unit;
    }
  }
  return nullptr;
}

std::unexpected<base::Error> bad_duration(std::string_view text) {
  return fail(Kind::kConfig, fmt::format("'{}' is not a duration; write 90s, 15m, 4h or 4d", text));
}

base::Result<std::uint16_t> parse_port(std::string_view text) {
  const auto number = base::to_number(text);
  if (!number || *number == 0 || *number > 65535) {
    return fail(Kind::kConfig, fmt::format("'{}' is not a port (1 to 65535)", text));
  }
  return static_cast<std::uint16_t>(*number);
}

// Host and port apart, neither checked.
base::Result<std::pair<std::string_view, std::string_view>> split_server(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos) return fail(Kind::kConfig, fmt::format("'{}' lacks the closing ]", text));
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) {
      return fail(Kind::kConfig, fmt::format("'{}' has something other than :PORT behind the ]", text));
    }
    return std::pair{text.substr(1, close - 1), rest.empty() ? rest : rest.substr(1)};
  }
  const auto colon = text.find(':');
  if (colon == text.npos) return std::pair{text, std::string_view{}};
  if (text.find(':', colon + 1) != text.npos) {
    return fail(Kind::kConfig, fmt::format("'{}' is an IPv6 address; write [ADDRESS]:PORT", text));
  }
  if (colon + 1 == text.size()) return fail(Kind::kConfig, fmt::format("'{}' lacks the port behind the colon", text));
  return std::pair{text.substr(0, colon), text.substr(colon + 1)};
}

// Names in lower case; an address as the kernel spells it, so that one address has one text.
std::string canonical(std::string_view host) {
  const std::string text(host);
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return base::to_lower(host);
  return ::inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
}

bool looks_numeric(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
}

std::string label_fault(std::string_view label) {
  if (label.empty()) return "has an empty part between dots";
  if (label.size() > 63) return "has a part of more than 63 characters";
  if (label.starts_with('-') || label.ends_with('-')) return "has a part that begins or ends with '-'";
  for (const char c : label) {
    if (static_cast<unsigned char>(c) > 126) return "has a letter outside ASCII; write it in its xn-- form";
    if (!is_letter(c) && !is_digit(c) && c != '-') return fmt::format("has a '{}' in it", c);
  }
  return "";
}

bool is_atom_char(char c) {
  return is_letter(c) || is_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

}  // namespace

base::Result<base::Seconds> parse_duration(std::string_view text) {
  if (text == "0") return base::Seconds{0};
  std::string_view rest = text;
  std::uint64_t sum = 0;
  if (rest.empty()) return bad_duration(text);
  while (!rest.empty()) {
    const std::string_view digits = take_digits(rest);
    const auto number = base::to_number(digits);
    if (!number) return bad_duration(text);
    if (rest.empty()) return fail(Kind::kConfig, fmt::format("'{}' lacks a unit: s, m, h or d", text));
    const Unit* unit = take_duration_unit(rest);
    if (unit == nullptr) return bad_duration(text);
    if (*number > kLongest / unit->factor) return fail(Kind::kConfig, fmt::format("'{}' is too long", text));
    sum += *number * unit->factor;
    if (sum > kLongest) return fail(Kind::kConfig, fmt::format("'{}' is too long", text));
  }
  return base::Seconds{static_cast<std::int64_t>(sum)};
}

std::string duration_text(base::Seconds d) {
  const auto seconds = static_cast<std::uint64_t>(d.count());
  if (seconds == 0) return "0s";
  for (const auto& unit : kDurationUnits) {
    if (seconds % unit.factor == 0) return fmt::format("{}{}", seconds / unit.factor, unit.name);
  }
  std::unreachable();
}

base::Result<std::uint64_t> parse_size(std::string_view text) {
  std::string_view rest = text;
  const auto number = base::to_number(take_digits(rest));
  if (number && rest.empty()) return *number;
  for (const auto& unit : kSizeUnits) {
    if (!number || rest != unit.name) continue;
    if (*number > (1ULL << 60) / unit.factor) return fail(Kind::kConfig, fmt::format("'{}' is too large", text));
    return *number * unit.factor;
  }
  return fail(Kind::kConfig, fmt::format("'{}' is not a size; write 512KiB, 10MiB, 1GiB or a number of bytes", text));
}

std::string size_text(std::uint64_t bytes) {
  for (const auto& unit : kSizeUnits) {
    if (bytes > 0 && bytes % unit.factor == 0) return fmt::format("{}{}", bytes / unit.factor, unit.name);
  }
  return fmt::format("{}", bytes);
}

bool is_ip_address(std::string_view text) {
  const std::string copy(text);
  in6_addr raw{};
  return ::inet_pton(AF_INET, copy.c_str(), &raw) == 1 || ::inet_pton(AF_INET6, copy.c_str(), &raw) == 1;
}

base::Result<HostPort> parse_server(std::string_view text) {
  const auto parts = split_server(text);
  if (!parts) return std::unexpected(parts.error());
  const auto [host, port_text] = *parts;
  if (!is_ip_address(host)) {
    if (text.starts_with('[') || looks_numeric(host)) {
      return fail(Kind::kConfig, fmt::format("'{}' is not an address", host));
    }
    if (const auto fault = hostname_fault(host); !fault.empty()) {
      return fail(Kind::kConfig, fmt::format("'{}' is not a host name: it {}", host, fault));
    }
  }
  if (port_text.empty()) return HostPort{canonical(host), 25};
  const auto port = parse_port(port_text);
  if (!port) return fail(Kind::kConfig, fmt::format("'{}': {}", text, port.error().text));
  return HostPort{canonical(host), *port};
}

base::Result<HostPort> parse_listen(std::string_view text) {
  std::string spelt(text);
  if (spelt == "*" || spelt.starts_with("*:")) spelt.replace(0, 1, "0.0.0.0");
  const auto parts = split_server(spelt);
  if (!parts) return std::unexpected(parts.error());
  if (!is_ip_address(parts->first)) {
    return fail(Kind::kConfig, fmt::format("'{}' is not an address of this host; write 0.0.0.0:25, 127.0.0.1:2525 or "
                                           "[::]:25", text));
  }
  return parse_server(spelt);
}

base::Result<HostPort> parse_resolver(std::string_view text) {
  const auto parts = split_server(text);
  if (!parts) return std::unexpected(parts.error());
  if (!is_ip_address(parts->first)) {
    return fail(Kind::kConfig, fmt::format("'{}' is not an address of a name server; write 127.0.0.1:53 or [::1]:53", text));
  }
  auto server = parse_server(text);
  if (server && parts->second.empty()) server->port = 53;
  return server;
}

base::Result<HostPort> parse_submission(std::string_view text) {
  auto server = parse_server(text);
  if (server && split_server(text)->second.empty()) server->port = 587;
  return server;
}

std::string url_fault(std::string_view text) {
  const bool secure = base::istarts_with(text, "https://");
  if (!secure && !base::istarts_with(text, "http://")) return "is no http:// or https:// URL";
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= 32 || static_cast<unsigned char>(c) >= 127; })) {
    return "has a character that a URL may not have";
  }
  const auto rest = text.substr(secure ? 8 : 7);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty()) return "has no host";
  return authority.find('@') == authority.npos ? "" : "holds a password: use token_file or headers";
}

base::Result<SpoolReserve> parse_reserve(std::string_view text) {
  static constexpr std::string_view kOr = " or ";
  SpoolReserve out{.percent = 0, .bytes = 0};
  const auto middle = text.find(kOr);
  std::string_view share = text.substr(0, middle);
  if (share.ends_with('%')) {
    const auto percent = base::to_number(share.substr(0, share.size() - 1));
    if (!percent || *percent > 90) return fail(Kind::kConfig, fmt::format("'{}' is not a percentage from 0% to 90%", share));
    out.percent = static_cast<int>(*percent);
    if (middle == text.npos) return out;
    share = text.substr(middle + kOr.size());
  } else if (middle != text.npos) {
    return fail(Kind::kConfig, fmt::format("'{}': write the percentage first, as in 10% or 1GiB", text));
  }
  const auto bytes = parse_size(share);
  if (!bytes) return fail(Kind::kConfig, fmt::format("'{}' is neither a percentage nor a size; write 10%, 2GiB or 10% or 1GiB", text));
  out.bytes = *bytes;
  return out;
}

std::string reserve_text(const SpoolReserve& reserve) {
  if (reserve.bytes == 0) return fmt::format("{}%", reserve.percent);
  if (reserve.percent == 0) return size_text(reserve.bytes);
  return fmt::format("{}% or {}", reserve.percent, size_text(reserve.bytes));
}

std::string hostname_fault(std::string_view text) {
  if (text.empty()) return "is empty";
  if (text.size() > 253) return "is longer than 253 characters";
  if (text.ends_with('.')) return "ends with a dot";
  if (is_ip_address(text)) return "is an address";
  const auto labels = base::split(text, '.');
  for (const auto label : labels) {
    if (auto fault = label_fault(label); !fault.empty()) return fault;
  }
  if (std::ranges::all_of(labels.back(), is_digit)) return "ends in a number, as addresses do";
  return "";
}

std::string local_part_fault(std::string_view text) {
  if (text.empty()) return "has nothing before the @";
  if (text.size() > 64) return "has more than 64 characters before the @";
  if (text.starts_with('.') || text.ends_with('.') || text.find("..") != text.npos) return "has a dot in a wrong place";
  for (const char c : text) {
    const bool utf8 = static_cast<unsigned char>(c) > 127;  // well-formed: YAML takes nothing else (RFC 6531)
    if (c != '.' && !utf8 && !is_atom_char(c)) return fmt::format("has a '{}' in it", c);
  }
  return "";
}

std::string yaml_scalar(std::string_view text) {
  const auto plain = [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '/'; };
  const auto inner = [&](char c) { return plain(c) || c == '-' || c == '@' || c == '+' || c == '='; };
  const bool safe = !text.empty() && plain(text.front()) && std::ranges::all_of(text, inner) &&
                    !base::iequals(text, "null") && text.size() < 200;
  if (safe) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (static_cast<unsigned char>(c) < 32 || c == 127) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace holdfast::config
