#include "common/admin/report_json.h"

#include <algorithm>
#include <cmath>

#include "common/admin/report_page.h"
#include "common/admin/text_json.h"

namespace holdfast::admin {
namespace {

constexpr std::size_t kBusiest = 15, kMostOutages = 200;

json moment(std::int64_t when_s) { return base::iso8601(base::from_millis(when_s * 1000)); }

// Sums of rates are no whole numbers; what they count is.
std::int64_t whole(double n) { return std::llround(n); }

json figures(const ReportStep& sum) {
  return {{"passed", whole(sum.passed)},
          {"queued", whole(sum.queued)},
          {"handed_over", whole(sum.handed_over)},
          {"bounced", whole(sum.bounced)},
          {"expired", whole(sum.expired)},
          {"refused", whole(sum.refused)},
          {"put_off", whole(sum.put_off)},
          {"connections", whole(sum.connections)},
          {"bytes", whole(sum.bytes)}};
}

json totals(const MailReport& report) {
  if (report.steps.empty()) return json();
  const auto all = report.total();
  json out = figures(all);
  const auto most = most_waiting(report);
  out["most_waiting"] = most ? json(whole(*most)) : json();
  out["known_seconds"] = std::min(all.known_s, report.to_s - report.from_s);
  return out;
}

json course(const MailReport& report) {
  json out = json::array();
  if (report.steps.empty()) return out;
  for (const auto& row : report_rows(report)) {
    const bool known = row.sum.known_s > 0;
    const auto waiting = row.sum.waiting();
    out.push_back({{"from", row.name},
                   {"figures", known ? figures(row.sum) : json()},
                   {"waiting", waiting ? json(whole(*waiting)) : json()}});
  }
  return out;
}

// The latest of them, the oldest first.
json outages(const MailReport& report) {
  json out = json::array();
  const auto skipped = report.outages.size() - std::min(report.outages.size(), kMostOutages);
  for (auto at = report.outages.begin() + static_cast<std::ptrdiff_t>(skipped); at != report.outages.end(); ++at) {
    out.push_back({{"destination", at->destination},
                   {"reason", at->reason},
                   {"from", moment(at->from_s)},
                   {"to", moment(at->to_s)},
                   {"seconds", at->to_s - at->from_s},
                   {"before", at->before},
                   {"lasts", at->lasts}});
  }
  return out;
}

json refusals(const Refusals& refused) {
  json rows = json::array();
  for (const auto& row : refused.busiest(kBusiest)) {
    rows.push_back({{"times", row.times}, {"reply", row.reply}, {"reason", row.why}, {"recipient", row.example}});
  }
  return {{"all", refused.all()}, {"others", refused.others()}, {"busiest", rows}};
}

}  // namespace

std::string report_json(const MailReport& report) {
  return dump_line({{"title", report_title(report)},
                    {"host", report.host},
                    {"period", report.weekly ? "weekly" : "daily"},
                    {"from", moment(report.from_s)},
                    {"to", moment(report.to_s)},
                    {"totals", totals(report)},
                    {"queued_now", optional_json(report.queued_now)},
                    {"outages", outages(report)},
                    {"outages_all", report.outages.size()},
                    {"refusals", refusals(report.refusals)},
                    {"course", course(report)},
                    {"gaps", report.gaps},
                    {"text", report_text(report)}});
}

}  // namespace holdfast::admin
