#include "common/milter/verdict.h"

#include <algorithm>

#include "common/base/text.h"

namespace holdfast::milter {

namespace {

constexpr std::size_t kMostLines = 32;  // libmilter's smfi_setmlreply() takes as many

bool reply_code(std::string_view line) {
  return line.size() >= 3 && (line[0] == '4' || line[0] == '5') && std::ranges::all_of(line.substr(0, 3), [](char c) { return c >= '0' && c <= '9'; });
}

std::string clean(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 1 < text.size() && text[i + 1] == '%') ++i;
    const auto c = static_cast<unsigned char>(text[i]);
    out.push_back(c < ' ' || c == 0x7F ? '?' : text[i]);
  }
  return out;
}

// "5.7.1 No" without its code, when it has one of the reply's class.
std::string_view split_enhanced(std::string_view text, char code_class, std::string& enhanced) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  if (!mail::is_enhanced_code(word) || word[0] != code_class) return text;
  if (enhanced.empty()) enhanced = word;
  return text.substr(std::min(end + 1, text.size()));
}

}  // namespace

base::Result<mail::Reply> parse_reply(std::string_view text) {
  mail::Reply reply;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  for (std::string_view line : base::split(text, '\n')) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!reply_code(line) || (line.size() > 3 && line[3] != ' ' && line[3] != '-') || reply.lines.size() == kMostLines) {
      return base::fail(base::Kind::kData, "a reply that is no 4xx or 5xx: " + base::printable(text.substr(0, 100)));
    }
    const int code = static_cast<int>(*base::to_number(line.substr(0, 3)));
    if (reply.code != 0 && reply.code != code) return base::fail(base::Kind::kData, "a reply with two codes");
    reply.code = code;
    reply.lines.push_back(clean(split_enhanced(line.substr(std::min<std::size_t>(4, line.size())), line[0], reply.enhanced)));
  }
  return reply;
}

}  // namespace holdfast::milter
