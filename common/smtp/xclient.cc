#include "common/smtp/xclient.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/mail/delivery_report.h"
#include "common/smtp/parameters.h"

namespace holdfast::smtp {
namespace {

constexpr std::size_t kMaxValue = 255;

using Member = std::optional<std::string> XclientAttributes::*;
struct Attribute {
  std::string_view name;
  Member member;
};
constexpr Attribute kAttributes[] = {
    {"NAME", &XclientAttributes::name},         {"ADDR", &XclientAttributes::addr},
    {"PORT", &XclientAttributes::port},         {"PROTO", &XclientAttributes::proto},
    {"HELO", &XclientAttributes::helo},         {"LOGIN", &XclientAttributes::login},
    {"DESTADDR", &XclientAttributes::destaddr}, {"DESTPORT", &XclientAttributes::destport}};

bool is_address_member(Member member) {
  return member == &XclientAttributes::addr || member == &XclientAttributes::destaddr;
}

bool is_port_member(Member member) {
  return member == &XclientAttributes::port || member == &XclientAttributes::destport;
}

bool is_address_text(std::string_view text) {
  return text.size() <= 45 && std::all_of(text.begin(), text.end(), [](char c) {
           const char l = base::lower(c);
           return (c >= '0' && c <= '9') || (l >= 'a' && l <= 'f') || c == '.' || c == ':';
         });
}

// As Postfix has it: letters, digits, hyphens and underscores between dots. It stands in logs and Received lines.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxValue || text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const char l = base::lower(c);
    return (c >= '0' && c <= '9') || (l >= 'a' && l <= 'z') || c == '.' || c == '-' || c == '_';
  });
}

bool fits(Member member, std::string_view value) {
  if (is_address_member(member)) return is_address_text(value);
  if (is_port_member(member)) {
    const auto port = base::to_number(value);
    return value.empty() || (port && *port <= 65535);
  }
  if (member == &XclientAttributes::name) return is_host_name(value);
  if (member == &XclientAttributes::proto) return base::iequals(value, "SMTP") || base::iequals(value, "ESMTP");
  return value.size() <= kMaxValue &&
         std::none_of(value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

bool unknown_value(std::string_view value) {
  return base::iequals(value, "[UNAVAILABLE]") || base::iequals(value, "[TEMPUNAVAIL]");
}

mail::Reply bad(std::string_view what) {
  return mail::Reply::make(501, "5.5.4", fmt::format("Bad XCLIENT: {}", base::printable(what.substr(0, 60))));
}

std::string encode_xtext(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 32 && byte < 127 && c != '+' && c != '=') {
      out += c;
    } else {
      out += fmt::format("+{:02X}", byte);
    }
  }
  return out;
}

const Attribute* find(std::string_view name) {
  const auto found = std::find_if(std::begin(kAttributes), std::end(kAttributes),
                                  [name](const Attribute& a) { return base::iequals(name, a.name); });
  return found == std::end(kAttributes) ? nullptr : &*found;
}

std::string value_for(const Attribute& attribute, const std::string& value) {
  if (value.empty()) return "[UNAVAILABLE]";
  const bool v6 = is_address_member(attribute.member) && value.find(':') != std::string::npos;
  return (v6 ? "IPV6:" : "") + encode_xtext(value);
}

}  // namespace

std::expected<XclientAttributes, mail::Reply> parse_xclient(std::string_view argument) {
  XclientAttributes out;
  bool any = false;
  for (const std::string_view word : base::split(argument, ' ')) {
    if (word.empty()) continue;
    const auto equals = word.find('=');
    const Attribute* attribute = equals == std::string_view::npos ? nullptr : find(word.substr(0, equals));
    if (attribute == nullptr || out.*attribute->member) return std::unexpected(bad(word));
    std::string_view raw = word.substr(equals + 1);
    std::string& value = (out.*attribute->member).emplace();
    any = true;
    if (unknown_value(raw)) continue;
    if (raw.empty() || !is_xtext(raw)) return std::unexpected(bad(word));
    value = mail::decode_xtext(raw);
    if (is_address_member(attribute->member) && base::istarts_with(value, "IPV6:")) value.erase(0, 5);
    if (!fits(attribute->member, value)) return std::unexpected(bad(word));
    if (attribute->member == &XclientAttributes::proto) value = value.size() == 4 ? "SMTP" : "ESMTP";
  }
  if (!any) return std::unexpected(bad("no attribute"));
  return out;
}

std::string xclient_argument(const XclientAttributes& attributes, std::string_view offered_names) {
  std::string out;
  for (const std::string_view name : base::split(offered_names, ' ')) {
    const Attribute* attribute = name.empty() ? nullptr : find(name);
    if (attribute == nullptr || !(attributes.*attribute->member)) continue;
    const std::string& value = *(attributes.*attribute->member);
    if (!out.empty()) out += ' ';
    out += fmt::format("{}={}", attribute->name, value_for(*attribute, value));
  }
  return out;
}

}  // namespace holdfast::smtp
