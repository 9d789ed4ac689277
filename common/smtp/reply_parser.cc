#include "common/smtp/reply_parser.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::smtp {
namespace {

// The code of a reply line, or 0.
int line_code(std::string_view text) {
  if (text.size() < 3) return 0;
  const auto code = base::to_number(text.substr(0, 3));
  const bool separated = text.size() == 3 || text[3] == ' ' || text[3] == '-';
  return code && separated && *code >= 200 && *code <= 599 ? static_cast<int>(*code) : 0;
}

// The enhanced code at the start of a line, or nothing.
std::string_view leading_code(std::string_view line) {
  const std::string_view word = line.substr(0, line.find(' '));
  return mail::is_enhanced_code(word) ? word : std::string_view{};
}

}  // namespace

base::Result<ReplyParser::Progress> ReplyParser::line(std::string_view text, std::size_t octets) {
  octets_ += octets;
  if (octets_ > kMaxOctets) return base::fail(base::Kind::kData, "a reply without end");
  const int code = line_code(text);
  if (code == 0) {
    return base::fail(base::Kind::kData, fmt::format("not an SMTP reply: \"{}\"", base::printable(text.substr(0, 80))));
  }
  if (reply_.code != 0 && reply_.code != code) {
    return base::fail(base::Kind::kData, fmt::format("one reply with two codes, {} and {}", reply_.code, code));
  }
  reply_.code = code;
  keep(text.substr(std::min<std::size_t>(4, text.size())));
  return text.size() > 3 && text[3] == '-' ? Progress::kMore : Progress::kComplete;
}

void ReplyParser::keep(std::string_view text) {
  if (reply_.lines.size() >= kMaxLines || kept_ + text.size() > kMaxKept) {
    if (reply_.lines.empty()) reply_.lines.emplace_back(text.substr(0, kMaxKept));
    return;
  }
  kept_ += text.size();
  std::string& line = reply_.lines.emplace_back(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return (c >= 0 && c < 32 && c != '\t') || c == 127; }, '?');
}

mail::Reply ReplyParser::take() {
  kept_ = octets_ = 0;
  return std::exchange(reply_, {});
}

void split_enhanced(mail::Reply& reply) {
  const auto first = std::ranges::find_if(reply.lines, [](const std::string& line) { return !line.empty(); });
  if (first == reply.lines.end()) return;
  const std::string code(leading_code(*first));
  if (code.empty() || code.front() - '0' != reply.code / 100) return;
  for (auto& line : reply.lines) {
    if (leading_code(line) == code) line.erase(0, std::min(line.size(), code.size() + 1));
  }
  reply.enhanced = code;
}

}  // namespace holdfast::smtp
