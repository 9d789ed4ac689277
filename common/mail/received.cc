#include "common/mail/received.h"

#include <algorithm>
#include <optional>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::mail {
namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxMessageId = 998;

// A name that a stranger gave, so that no part of it can be read as structure of the header.
std::string safe(std::string_view name) {
  std::string out(name.substr(0, kMaxName));
  std::replace_if(
      out.begin(), out.end(),
      [](char c) {
        const char l = base::lower(c);
        const bool plain = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9');
        return !plain && std::string_view(".-_:[]").find(c) == std::string_view::npos;
      },
      '?');
  return out;
}

// A path may hold quoted text; only what would end the line or the brackets is replaced.
std::string safe_path(std::string_view path, bool utf8) {
  std::string out(path);
  std::replace_if(
      out.begin(), out.end(),
      [utf8](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 32 || byte == 127 || (byte > 127 && !utf8) || c == '<' || c == '>';
      },
      '?');
  return out;
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_continuation(std::string_view text) { return text.starts_with(' ') || text.starts_with('\t'); }

// The field name of a header line; nothing if the line is not one.
std::optional<std::string_view> field_name(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view name = line.substr(0, colon);
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  const bool visible = std::all_of(name.begin(), name.end(), [](char c) { return c > 32 && c < 127; });
  return visible && !name.empty() ? std::optional(name) : std::nullopt;
}

// The message id in a field's value, which may be folded and carry comments.
std::string pick_message_id(std::string_view value) {
  const auto open = value.find('<');
  const auto close = open == std::string_view::npos ? open : value.find('>', open);
  if (close != std::string_view::npos) value = value.substr(open, close - open + 1);
  std::string id;
  for (const char c : base::trim(value)) {
    if (id.size() == kMaxMessageId) break;
    if (c != '\r' && c != '\n' && c != '\t') id.push_back(c < 32 || c > 126 ? '?' : c);
  }
  return id;
}

}  // namespace

std::string received_header(const Received& r) {
  std::string out = fmt::format("Received: from {} ({} {})\r\n\t", r.helo.empty() ? "unknown" : safe(r.helo),
                                r.client_name.empty() ? "unknown" : safe(r.client_name), r.literal);
  if (!r.tls.empty()) out += fmt::format("(using {})\r\n\t", r.tls);
  out += fmt::format("by {} (Holdfast) with {} id {}", r.by, r.protocol, r.id.text());
  if (r.recipient.empty()) {
    out += fmt::format(";\r\n\t{}\r\n", r.date);
  } else {
    out += fmt::format("\r\n\tfor <{}>;\r\n\t{}\r\n", safe_path(r.recipient, r.utf8), r.date);
  }
  return out;
}

HeaderFacts scan_header(std::string_view wire) {
  HeaderFacts facts;
  std::string_view left = wire.substr(0, kMaxHeader);
  while (!left.empty()) {
    const std::string_view start = left;
    const std::string_view first = take_line(left);
    const auto name = field_name(first);
    if (!name) break;
    while (is_continuation(left)) take_line(left);
    if (base::iequals(*name, "received")) ++facts.received;
    if (facts.message_id.empty() && base::iequals(*name, "message-id")) {
      const std::string_view field = start.substr(0, start.size() - left.size());
      facts.message_id = pick_message_id(field.substr(field.find(':') + 1));
    }
  }
  return facts;
}

}  // namespace holdfast::mail
