#include "common/smtp/parameters.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/mail/report_text.h"

namespace holdfast::smtp {
namespace {

constexpr std::size_t kMaxEnvid = 100;
constexpr std::size_t kMaxOrcpt = 500;

bool is_capital_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); }

bool is_xchar(char c) { return c > 32 && c < 127 && c != '+' && c != '='; }

bool is_atom_char(char c) {
  const char l = base::lower(c);
  return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

// "\x{HEX}" of RFC 6533 section 3 at the start of `text`: its length; 0 if there is none. A scalar value that may
// stand in an address, so no control character.
std::size_t embedded_length(std::string_view text) {
  if (!text.starts_with("\\x{")) return 0;
  const auto close = text.find('}');
  if (close == std::string_view::npos || close < 5 || close > 9) return 0;
  std::uint32_t value = 0;
  for (const char c : text.substr(3, close - 3)) {
    if (!is_capital_hex(c)) return 0;
    value = value * 16 + static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'A' + 10);
  }
  const bool scalar = value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  return scalar && value >= 32 && value != 127 ? close + 1 : 0;
}

// utf-8-addr-xtext, or with `raw` utf-8-addr-unitext.
bool is_utf8_address(std::string_view text, bool raw) {
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    std::size_t n = c == '\\' ? embedded_length(text.substr(i)) : 1;
    if (c < 128 && c != '\\' && !is_xchar(text[i])) n = 0;
    if (c >= 128 && !raw) n = 0;
    if (n == 0) return false;
    i += n;
  }
  return mail::is_utf8(text);
}

// RFC 3461 sections 4.2 and 4.4: what it stands for are printable characters. A report will show them as they are.
bool is_printable_xtext(std::string_view text) {
  if (!is_xtext(text)) return false;
  for (auto at = text.find('+'); at != std::string_view::npos; at = text.find('+', at + 1)) {
    const char high = text[at + 1], low = text[at + 2];
    if (high < '2' || high > '7' || (high == '7' && low == 'F')) return false;
  }
  return true;
}

void add(std::string& out, std::string_view key, std::string_view value) {
  if (!out.empty()) out += ' ';
  out += key;
  out += value;
}

}  // namespace

bool is_xtext(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      if (i + 2 >= text.size() || !is_capital_hex(text[i + 1]) || !is_capital_hex(text[i + 2])) return false;
      i += 2;
    } else if (!is_xchar(text[i])) {
      return false;
    }
  }
  return true;
}

bool is_notify(std::string_view value) {
  if (base::iequals(value, "NEVER")) return true;
  const auto words = base::split(value, ',');
  return std::all_of(words.begin(), words.end(), [](std::string_view word) {
    return base::iequals(word, "SUCCESS") || base::iequals(word, "FAILURE") || base::iequals(word, "DELAY");
  });
}

bool is_envid(std::string_view value) {
  return !value.empty() && value.size() <= kMaxEnvid && is_printable_xtext(value);
}

bool is_orcpt(std::string_view value, bool smtputf8) {
  const auto semicolon = value.find(';');
  if (value.size() > kMaxOrcpt || semicolon == std::string_view::npos || semicolon == 0) return false;
  const auto type = value.substr(0, semicolon), address = value.substr(semicolon + 1);
  if (!std::all_of(type.begin(), type.end(), is_atom_char)) return false;
  if (base::iequals(type, "utf-8")) return is_utf8_address(address, smtputf8);
  return !address.empty() && is_printable_xtext(address);
}

std::string mail_parameters(const mail::Capabilities& offered, const MailParameters& message) {
  std::string out;
  if (offered.size && message.size > 0) out = fmt::format("SIZE={}", message.size);
  if (offered.eightbitmime && message.eightbit) add(out, "BODY=", "8BITMIME");
  if (offered.smtputf8 && message.smtputf8) add(out, "SMTPUTF8", "");
  if (offered.dsn && !message.ret.empty()) add(out, "RET=", message.ret);
  if (offered.dsn && !message.envid.empty()) add(out, "ENVID=", message.envid);
  return out;
}

std::string rcpt_parameters(const mail::Capabilities& offered, std::string_view notify, std::string_view orcpt) {
  std::string out;
  if (!offered.dsn) return out;
  if (!notify.empty()) add(out, "NOTIFY=", notify);
  // One in raw UTF-8 goes only where UTF-8 does.
  if (!orcpt.empty() && (offered.smtputf8 || mail::is_ascii(orcpt))) add(out, "ORCPT=", orcpt);
  return out;
}

}  // namespace holdfast::smtp
