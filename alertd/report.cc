#include "alertd/report.h"

#include <algorithm>

#include "common/base/text.h"

namespace holdfast::alertd {
namespace {

constexpr std::size_t kLongestLine = 998, kLongestTitle = 900, kLongestBoundary = 60;

bool line_is_plain(std::string_view line) {
  return line.size() <= kLongestLine && std::ranges::all_of(line, [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

bool body_is_plain(std::string_view body) {
  if (body.size() > kLongestReport || !body.ends_with("\r\n")) return false;
  body.remove_suffix(1);
  for (auto line : base::split(body, '\n')) {
    if (!line.ends_with('\r')) return false;
    line.remove_suffix(1);
    if (!line_is_plain(line)) return false;
  }
  return true;
}

bool boundary_is_plain(std::string_view text) {
  return !text.empty() && text.size() <= kLongestBoundary &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace

std::vector<std::string> report_roads(const config::Alerts& alerts) {
  std::vector<std::string> out;
  if (alerts.relays.empty()) return out;
  for (const auto& to : alerts.report.to.empty() ? alerts.to : alerts.report.to) {
    std::string road = std::string(kReportRoad) + to;
    if (std::ranges::find(out, road) == out.end()) out.push_back(std::move(road));
  }
  return out;
}

bool ReportPace::take(base::Mono now) {
  while (!taken_.empty() && now - taken_.front() >= kWithin) taken_.pop_front();
  if (taken_.size() >= kMost) return false;
  taken_.push_back(now);
  return true;
}

std::uint64_t report_number(const std::vector<std::string>& words) {
  return words.empty() ? 0 : base::to_number(words.front()).value_or(0);
}

base::Result<Notice> report_notice(const std::vector<std::string>& words, const std::string& host, std::int64_t now_ms) {
  if (words.size() != 4) return base::fail(base::Kind::kUsage, "report.send needs its number, a subject, a boundary and a body");
  const auto& title = words[1];
  if (title.empty() || title.size() > kLongestTitle || !line_is_plain(title)) {
    return base::fail(base::Kind::kUsage, "the report's subject is no line of printable ASCII");
  }
  if (!boundary_is_plain(words[2])) return base::fail(base::Kind::kUsage, "the report's boundary is none");
  if (!body_is_plain(words[3])) return base::fail(base::Kind::kUsage, "the report's body is too long, or no mail of 7 bits");
  Notice out;
  out.what = What::kReport;
  out.made_ms = now_ms;
  out.title = title;
  out.text = words[3];
  out.facts = {{"kind", "report"}, {"subject", ""}, {"what", "report"}, {"host", host}, {"boundary", words[2]}};
  return out;
}

}  // namespace holdfast::alertd
