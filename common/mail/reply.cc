#include "common/mail/reply.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::mail {
namespace {

constexpr std::size_t kMaxReplyLine = 510;  // RFC 5321 section 4.5.3.1.5, without CRLF

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Up to three digits from the front of `s`; false if there is none.
bool take_number(std::string_view& s) {
  std::size_t n = 0;
  while (n < 3 && n < s.size() && is_digit(s[n])) ++n;
  s.remove_prefix(n);
  return n > 0;
}

bool matches(std::string_view code, std::string_view pattern) {
  if (pattern.ends_with('*')) return code.starts_with(pattern.substr(0, pattern.size() - 1));
  return code == pattern;
}

bool contains_ignoring_case(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(),
                     [](char a, char b) { return base::lower(a) == b; }) != text.end();
}

bool speaks_of_greylisting(std::string_view text) {
  constexpr std::array<std::string_view, 6> kWords{"greylist",  "graylist",  "grey-list",
                                                   "gray-list", "grey list", "gray list"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [text](std::string_view word) { return contains_ignoring_case(text, word); });
}

bool speaks_of_recipient(int code, std::string_view enhanced) {
  constexpr std::array<std::string_view, 6> kCodes{"5.1.1", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.1"};
  if (code < 500 || code > 599) return false;
  if (enhanced.empty()) return code == 550 || code == 551 || code == 553;
  return std::find(kCodes.begin(), kCodes.end(), enhanced) != kCodes.end();
}

}  // namespace

std::string Reply::text() const {
  std::string out = fmt::format("{}", code);
  const auto add = [&out](std::string_view part) {
    if (part.empty()) return;
    out += ' ';
    out += part;
  };
  add(enhanced);
  for (const auto& line : lines) add(line);
  return out;
}

void Reply::append_wire(std::string& out) const {
  base::expect(code >= 200 && code <= 599 && !lines.empty(), "a reply without code or text");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t start = out.size();
    fmt::format_to(std::back_inserter(out), "{}{}", code, i + 1 < lines.size() ? '-' : ' ');
    if (!enhanced.empty() && !intermediate()) {
      out += enhanced;
      if (!lines[i].empty()) out += ' ';
    }
    out.append(lines[i], 0, kMaxReplyLine);
    if (out.size() - start > kMaxReplyLine) out.resize(start + kMaxReplyLine);
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
        [](char c) { return (c < 32 && c != '\t') || c > 126; }, '?');
    out += "\r\n";
  }
}

std::string Reply::wire() const {
  std::string out;
  append_wire(out);
  return out;
}

std::string Reply::dsn() const {
  if (!enhanced.empty()) return enhanced;
  return fmt::format("{}.0.0", permanent() ? 5 : temporary() ? 4 : 2);
}

bool is_enhanced_code(std::string_view s) {
  if (s.size() < 5 || (s[0] != '2' && s[0] != '4' && s[0] != '5') || s[1] != '.') return false;
  s.remove_prefix(2);
  if (!take_number(s) || s.empty() || s.front() != '.') return false;
  s.remove_prefix(1);
  return take_number(s) && s.empty();
}

bool speaks_of_recipient(const Reply& reply) { return speaks_of_recipient(reply.code, reply.enhanced); }

bool speaks_of_recipient(std::string_view reply_text) {
  const auto code = base::to_number(reply_text.substr(0, 3));
  if (!code || (reply_text.size() > 3 && reply_text[3] != ' ')) return false;
  reply_text.remove_prefix(std::min<std::size_t>(4, reply_text.size()));
  const std::string_view word = reply_text.substr(0, reply_text.find(' '));
  const bool enhanced = is_enhanced_code(word) && word[0] == static_cast<char>('0' + *code / 100);
  return speaks_of_recipient(static_cast<int>(*code), enhanced ? word : std::string_view{});
}

bool is_sender_policy(const Reply& reply, const std::vector<std::string>& patterns) {
  if (!reply.temporary()) return false;
  for (const auto& pattern : patterns) {
    if (!reply.enhanced.empty() && matches(reply.enhanced, pattern)) return true;
  }
  return std::any_of(reply.lines.begin(), reply.lines.end(), speaks_of_greylisting);
}

}  // namespace holdfast::mail
