#include "common/admin/mail_report.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include <fmt/core.h>

#include "common/admin/report_page.h"
#include "common/admin/table.h"
#include "common/base/text.h"
#include "common/base/time.h"

namespace holdfast::admin {
namespace {

constexpr std::size_t kMostOutages = 50, kBusiest = 15, kLongestWhy = 120;

// A word that is another one each time: a number, an id, an address. So 3 and more digits, and what stands in brackets.
bool varies(std::string_view word) {
  const auto digits = std::ranges::count_if(word, [](char c) { return c >= '0' && c <= '9'; });
  return digits >= 3 || word.find('@') != word.npos || word.find('<') != word.npos || word.find('[') != word.npos;
}

std::string kind_of_reason(std::string_view why) {
  std::string out;
  for (const auto word : base::split(why.substr(0, 400), ' ')) {
    if (word.empty()) continue;
    out.append(out.empty() ? "" : " ").append(varies(word) ? "*" : base::printable(word));
  }
  return out.substr(0, kLongestWhy);
}

std::string line_of(std::string_view name, double n, std::string_view what) {
  return fmt::format("{:<28} {:>12} {}\n", name, report_number(n), what);
}

std::string figures_text(const MailReport& report) {
  if (report.steps.empty()) return "What passed and was queued is unknown: there is no history of that time.\n";
  const auto all = report.total();
  std::string out = line_of("Passed straight through", all.passed, "messages") + line_of("Queued", all.queued, "messages") +
                    line_of("Handed over from the queue", all.handed_over, "recipients") +
                    line_of("Bounced", all.bounced, "reports to senders") + line_of("Given up, time over", all.expired, "messages") +
                    line_of("Refused for good (5xx)", all.refused, "answers") + line_of("Put off (4xx)", all.put_off, "answers") +
                    line_of("Clients that connected", all.connections, "connections");
  out += fmt::format("{:<28} {:>12}\n", "Mail that came whole", bytes_text(static_cast<std::uint64_t>(std::max(0.0, all.bytes))));
  if (const auto most = most_waiting(report)) out += line_of("Queued at most", *most, "messages");
  if (report.queued_now) out += line_of("Queued now", static_cast<double>(*report.queued_now), "messages");
  const auto length = report.to_s - report.from_s;
  if (const auto known = std::min(all.known_s, length); known * 200 < length * 199) {
    out += fmt::format("\nThese figures are of {:.1f} % of the time only: the gateway or its web did not run all the while.\n",
                       100.0 * static_cast<double>(known) / static_cast<double>(std::max<std::int64_t>(1, length)));
  }
  return out;
}

std::string outages_text(const MailReport& report) {
  if (report.outages.empty()) return "none\n";
  std::string out;
  const auto skipped = report.outages.size() - std::min(report.outages.size(), kMostOutages);
  if (skipped > 0) out += fmt::format("{} earlier ones, and\n", skipped);
  for (auto at = report.outages.begin() + static_cast<std::ptrdiff_t>(skipped); at != report.outages.end(); ++at) {
    out += outage_line(*at) + "\n";
  }
  return out;
}

std::string refusals_text(const MailReport& report) {
  const auto rows = report.refusals.busiest(kBusiest);
  if (rows.empty()) return "none\n";
  Table table({">TIMES", "REPLY", "REASON", "RECIPIENT OF THE LATEST"});
  for (const auto& row : rows) table.add({report_number(static_cast<double>(row.times)), row.reply, row.why, row.example.substr(0, 80)});
  std::string out = table.take();
  if (report.refusals.others() > 0) {
    out += fmt::format("and {} of more kinds than are counted one by one\n", report_number(static_cast<double>(report.refusals.others())));
  }
  return out;
}

std::string course_text(const MailReport& report) {
  Table table({"FROM", ">PASSED", ">QUEUED", ">HANDED OVER", ">REFUSED", ">PUT OFF", ">WAITING"});
  for (const auto& row : report_rows(report)) {
    const auto cell = [&](double n) { return row.sum.known_s > 0 ? report_number(n) : std::string(); };
    table.add({row.name, cell(row.sum.passed), cell(row.sum.queued), cell(row.sum.handed_over), cell(row.sum.refused),
               cell(row.sum.put_off), row.sum.waiting() ? report_number(*row.sum.waiting()) : ""});
  }
  return table.take();
}

std::string clean_lines(std::string_view text) {
  std::string out;
  for (const auto line : base::split(text, '\n')) out += base::printable(line) + "\n";
  out.pop_back();
  return out;
}

}  // namespace

ReportStep& ReportStep::operator+=(const ReportStep& other) {
  passed += other.passed;
  queued += other.queued;
  refused += other.refused;
  put_off += other.put_off;
  connections += other.connections;
  bytes += other.bytes;
  handed_over += other.handed_over;
  bounced += other.bounced;
  expired += other.expired;
  known_s += other.known_s;
  waiting_sum += other.waiting_sum;
  waiting_s += other.waiting_s;
  return *this;
}

std::optional<double> ReportStep::waiting() const {
  return waiting_s > 0 ? std::optional(waiting_sum / static_cast<double>(waiting_s)) : std::nullopt;
}

void Refusals::add(const Rejection& rejection) {
  ++all_;
  auto key = std::pair(rejection.reply, kind_of_reason(rejection.why));
  auto found = rows_.find(key);
  if (found == rows_.end() && rows_.size() >= kMost) {
    ++others_;
    return;
  }
  if (found == rows_.end()) {
    Row row{.reply = key.first, .why = key.second, .times = 0, .example = {}};
    found = rows_.emplace(std::move(key), std::move(row)).first;
  }
  ++found->second.times;
  found->second.example = base::printable(std::string_view(rejection.recipient).substr(0, 400));
}

std::vector<Refusals::Row> Refusals::busiest(std::size_t most) const {
  std::vector<Row> out;
  for (const auto& [key, row] : rows_) out.push_back(row);
  std::ranges::stable_sort(out, [](const Row& a, const Row& b) { return a.times > b.times; });
  if (out.size() > most) out.resize(most);
  return out;
}

ReportStep MailReport::total() const {
  ReportStep out;
  for (const auto& step : steps) out += step;
  return out;
}

std::string report_title(const MailReport& report) {
  const auto all = report.total();
  std::string out = fmt::format("[Holdfast {}] the {} until {}: ", report.host, report.weekly ? "week" : "day", report_moment(report.to_s));
  if (!report.steps.empty()) {
    out += fmt::format("{} passed, {} queued, {} refused, ", report_number(all.passed), report_number(all.queued), report_number(all.refused));
  }
  const auto outages = report.outages.size();
  out += outages == 0 ? "no outage" : count_text(outages, "outage");
  return base::printable(out);
}

std::string report_text(const MailReport& report) {
  std::string out = fmt::format("{}: the {} from {} to {}\n\n", report.host, report.weekly ? "week" : "day",
                                report_moment(report.from_s), report_moment(report.to_s));
  out += figures_text(report);
  out += "\nOutages\n" + outages_text(report);
  out += "\nBusiest refusals\n" + refusals_text(report);
  if (!report.steps.empty()) out += "\nIn the course of time\n" + course_text(report);
  for (const auto& gap : report.gaps) out += "\nNot known: " + gap + "\n";
  out += "\nThis report is asked for by alerts.report in the gateway's configuration; gatewayctl report makes one at any time.\n";
  return clean_lines(out);
}

}  // namespace holdfast::admin
