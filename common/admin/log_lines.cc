#include "common/admin/log_lines.h"

#include <array>
#include <ctime>

#include "common/base/text.h"
#include "common/mail/queue_id.h"

namespace holdfast::admin {
namespace {

constexpr std::size_t kDateBytes = 15;  // "Nov 22 10:00:00"
constexpr std::string_view kTag = "holdfast/";
constexpr std::string_view kReport = "notification: ";

// Takes what stands before `mark`, and the mark, from the front of `rest`.
std::optional<std::string_view> take_until(std::string_view& rest, std::string_view mark) {
  const auto at = rest.find(mark);
  if (at == rest.npos) return std::nullopt;
  const auto out = rest.substr(0, at);
  rest.remove_prefix(at + mark.size());
  return out;
}

std::string_view without_brackets(std::string_view text) {
  if (text.size() >= 2 && text.front() == '<' && text.back() == '>') return text.substr(1, text.size() - 2);
  return text;
}

}  // namespace

std::optional<LogLine> LogLine::parse(std::string_view line) {
  if (line.size() < kDateBytes + 2 || line[kDateBytes] != ' ') return std::nullopt;
  LogLine out;
  out.date = line.substr(0, kDateBytes);
  std::string_view rest = line.substr(kDateBytes + 1);
  const auto host = take_until(rest, " ");
  if (!host || !rest.starts_with(kTag)) return std::nullopt;
  rest.remove_prefix(kTag.size());
  const auto daemon = take_until(rest, "[");
  const auto pid = daemon ? take_until(rest, "]: ") : std::nullopt;
  if (!pid) return std::nullopt;
  out.host = *host;
  out.daemon = *daemon;
  out.pid = *pid;
  std::string_view behind = rest;
  const auto id = take_until(behind, ": ");
  const bool is_id = id && id->find_first_of("abcdefx ") == id->npos && mail::QueueId::parse(*id).has_value();
  out.id = is_id ? *id : std::string_view();
  out.text = is_id ? behind : rest;
  return out;
}

std::optional<std::int64_t> log_time(std::string_view date, std::int64_t latest_s) {
  std::tm parts{};
  const std::string text(date);
  const char* end = ::strptime(text.c_str(), "%b %d %H:%M:%S", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  std::tm latest{};
  const std::time_t seconds = latest_s;
  ::localtime_r(&seconds, &latest);
  for (const int year : {latest.tm_year, latest.tm_year - 1}) {
    std::tm tried = parts;
    tried.tm_year = year;
    tried.tm_isdst = -1;
    const std::time_t out = ::mktime(&tried);
    if (out <= latest_s + 86400) return out;
  }
  return std::nullopt;
}

Trace::Trace(std::string_view what) : what_(base::to_lower(without_brackets(base::trim(what)))) {
  is_domain_ = what_.starts_with('@');
  if (what_.find('@') != what_.npos) return;
  if (const auto id = mail::QueueId::parse(what_)) ids_.insert(id->text());
}

// In brackets, as every address and message-id stands in our lines.
bool Trace::names_it(std::string_view text) const {
  if (what_.empty()) return false;
  const std::string lower = base::to_lower(text);
  const std::string ending = what_ + ">";
  for (auto at = lower.find(ending); at != lower.npos; at = lower.find(ending, at + 1)) {
    if (is_domain_ ? at > 0 : at > 0 && lower[at - 1] == '<') return true;
  }
  return false;
}

bool Trace::learn(const LogLine& line) {
  if (line.id.empty()) return false;
  bool news = false;
  if (const auto at = line.text.find(kReport); at != line.text.npos) {
    reports_.emplace_back(line.id, line.text.substr(at + kReport.size()));
    news = true;
  }
  if (!ids_.contains(line.id) && names_it(line.text)) news = ids_.emplace(line.id).second || news;
  return news;
}

void Trace::settle() {
  for (bool more = true; more;) {
    more = false;
    for (const auto& [message, report] : reports_) {
      if (ids_.contains(message) == ids_.contains(report)) continue;
      more = true;
      ids_.insert(message);
      ids_.insert(report);
    }
  }
}

bool Trace::belongs(const LogLine& line) const {
  return line.id.empty() ? names_it(line.text) : ids_.contains(line.id);
}

int order_in_second(std::string_view text) {
  constexpr std::array<std::string_view, 4> kFirst{"client=", "message-id=", "from=<", "to=<"};
  for (std::size_t i = 0; i < kFirst.size(); ++i) {
    if (!text.starts_with(kFirst[i])) continue;
    return text.find("status=expired") == text.npos ? static_cast<int>(i) : 5;
  }
  return text == "removed" ? 9 : 4;
}

}  // namespace holdfast::admin
