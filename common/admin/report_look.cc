#include "common/admin/report_look.h"

#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/core.h>

#include "common/admin/dest_history.h"
#include "common/base/time.h"

namespace holdfast::admin {
namespace {

constexpr std::int64_t kHour = 3600, kSample = storage::kHistoryLevels.front().step;
constexpr std::size_t kMostChanges = 10'000;  // of one destination

using Member = double ReportStep::*;
struct Wanted {
  const char* name;
  Member member;
};
constexpr Wanted kRates[] = {{"rate.proxied", &ReportStep::passed},       {"rate.kept", &ReportStep::queued},
                             {"rate.refused", &ReportStep::refused},      {"rate.deferred", &ReportStep::put_off},
                             {"rate.connections", &ReportStep::connections}, {"rate.bytes", &ReportStep::bytes},
                             {"rate.sent", &ReportStep::handed_over},     {"rate.bounced", &ReportStep::bounced},
                             {"rate.expired", &ReportStep::expired}};
constexpr std::size_t kWaiting = std::size(kRates);  // behind them

// A row counts where it begins, so that no part of it is told of twice, here or by the report before.
void add(MailReport& report, const storage::History::Answer& answer, std::int64_t begin, std::int64_t end) {
  const auto steps = answer.values.empty() ? 0 : answer.values.front().size();
  for (std::size_t i = 0; i < steps; ++i) {
    const auto at = answer.first + static_cast<std::int64_t>(i) * answer.step;
    if (at < begin || at >= end) continue;
    ReportStep& step = report.steps[static_cast<std::size_t>((at - report.from_s) / report.step_s())];
    for (std::size_t s = 0; s < answer.values.size(); ++s) {
      if (!answer.values[s][i]) continue;
      const std::int64_t seconds = kSample * answer.samples[s][i];
      const double sum = *answer.values[s][i] * static_cast<double>(seconds);
      if (s < kWaiting) step.*kRates[s].member += sum;
      if (s == 0) step.known_s += seconds;
      if (s == kWaiting) {
        step.waiting_sum += sum;
        step.waiting_s += seconds;
      }
    }
  }
}

// Hour by hour, so that each answer has the shortest steps that are kept.
void read_history(MailReport& report, const storage::History& history, const storage::Txn& txn, std::int64_t now_s) {
  std::vector<std::string> names;
  for (const auto& rate : kRates) names.emplace_back(rate.name);
  names.emplace_back("queue.messages");
  report.steps.resize(static_cast<std::size_t>((report.to_s - report.from_s + report.step_s() - 1) / report.step_s()));
  for (auto at = report.from_s; at < report.to_s; at += kHour) {
    const auto end = std::min(at + kHour, report.to_s);
    add(report, history.read(txn, names, at, end - 1, now_s), at, end);
  }
}

void read_refusals(MailReport& report, const LogFile& file, const GoOn& go_on) {
  const auto look = [&](std::string_view line) {
    if (line.find("reject: ") == line.npos) return;
    const auto rejection = rejection_in(line, file.written_s);
    if (rejection && rejection->when_s >= report.from_s && rejection->when_s < report.to_s) report.refusals.add(*rejection);
  };
  if (auto done = read_lines(file, look, go_on); !done && done.error().kind != base::Kind::kNotFound) {
    report.gaps.push_back(fmt::format("all refusals: {}", done.error().text));
  }
}

void read_outages(MailReport& report, const std::vector<LogFile>& files, const GoOn& go_on) {
  std::map<std::string, std::vector<StateChange>> changes;
  for (const auto& file : files) {
    if (file.name != "prober") continue;
    const auto look = [&](std::string_view line) {
      auto found = any_state_change(line, file.written_s);
      if (!found) return;
      auto& list = changes[found->destination];
      if (list.size() < kMostChanges) list.push_back(std::move(found->change));
    };
    if (auto done = read_lines(file, look, go_on); !done && done.error().kind != base::Kind::kNotFound) {
      report.gaps.push_back(fmt::format("all outages: {}", done.error().text));
    }
  }
  for (const auto& [name, list] : changes) std::ranges::copy(outages_in(name, list, report.from_s, report.to_s), std::back_inserter(report.outages));
  std::ranges::stable_sort(report.outages, {}, &Outage::from_s);
}

void read_logs(MailReport& report, const std::string& folder, const GoOn& go_on) {
  const auto files = list_log_files(folder);
  if (!files) {
    report.gaps.push_back(fmt::format("refusals and outages: {}", files.error().text));
    return;
  }
  read_outages(report, *files, go_on);
  for (const auto& file : *files) {
    if (file.name == "smtpd" && file.written_s >= report.from_s) read_refusals(report, file, go_on);
  }
}

}  // namespace

std::vector<Outage> outages_in(const std::string& destination, const std::vector<StateChange>& changes, std::int64_t from_s,
                               std::int64_t to_s) {
  std::vector<Outage> out;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].state != "down") continue;
    // One that is told of again while it lasts, by a prober that was started anew, is the same outage.
    const auto begin = i;
    while (i + 1 < changes.size() && changes[i + 1].state == "down") ++i;
    const bool ended = i + 1 < changes.size();
    const auto from = changes[begin].when_s, to = ended ? changes[i + 1].when_s : to_s;
    if (from >= to_s || to <= from_s) continue;
    out.push_back({.destination = destination,
                   .reason = changes[begin].reason,
                   .from_s = std::max(from, from_s),
                   .to_s = std::min(to, to_s),
                   .before = from < from_s,
                   .lasts = !ended || to > to_s});
  }
  return out;
}

MailReport look_for_report(const Gateway& gateway, bool weekly, std::int64_t from_s, std::int64_t to_s, const HistoryReader& history,
                           const GoOn& go_on) {
  MailReport out{.host = gateway.config().hostname, .weekly = weekly, .from_s = from_s, .to_s = to_s};
  const auto now_s = base::to_millis(base::wall_now()) / 1000;
  const auto done = history([&](const storage::History& all, const storage::Txn& txn) { read_history(out, all, txn, now_s); });
  if (!done) out.gaps.push_back(fmt::format("what passed and was queued: {}", done.error().text));
  (void)gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) { out.queued_now = index.counter(txn, "").messages(); });
  read_logs(out, gateway.config().paths.log, go_on);
  return out;
}

}  // namespace holdfast::admin
