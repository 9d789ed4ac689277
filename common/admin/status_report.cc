#include "common/admin/status_report.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/admin/table.h"
#include "common/admin/text_json.h"

namespace holdfast::admin {
namespace {

bool runs(const DaemonLine& d) { return d.state == "running"; }

std::string spell_since(std::int64_t since_ms, std::int64_t now_ms) {
  return base::spell(base::Seconds{std::max<std::int64_t>(0, now_ms - since_ms) / 1000});
}

std::string kept_text(const QueueLine& queue) {
  if (queue.messages == 0) return "nothing is kept";
  std::string out =
      fmt::format("{} {} kept", count_text(queue.messages, "message"), queue.messages == 1 ? "is" : "are");
  std::string aside;
  if (queue.held > 0) aside = fmt::format("{} held", queue.held);
  if (queue.frozen > 0) aside += fmt::format("{}{} frozen", aside.empty() ? "" : ", ", queue.frozen);
  if (queue.unfiltered > 0) aside += fmt::format("{}{} unscanned", aside.empty() ? "" : ", ", queue.unfiltered);
  if (!aside.empty()) out += fmt::format(" ({})", aside);
  if (queue.oldest_seconds)
    out += fmt::format(", the oldest for {}", base::spell(base::Seconds{*queue.oldest_seconds}));
  return out;
}

std::string queue_text(const Status& status) {
  return status.queue ? kept_text(*status.queue) : "the queue cannot be read";
}

// "office has been down for 2h 5m (connect: refused)".
std::string trouble_text(const DestinationLine& d, const Status& status) {
  const auto now_ms = status.now_ms;
  const bool unscanned = std::ranges::any_of(status.filtering.bypasses, [&](const auto& b) { return b.on && b.destination == d.name; });
  const std::string emergency =
      d.state == "down" && unscanned ? ", pass thro': mail for known recipients is accepted unscanned and kept" : "";
  if (d.state == "draining") return fmt::format("{} is back and its mail is being handed over", d.name);
  const std::string why = d.reason.empty() ? "" : fmt::format(" ({})", d.reason);
  if (d.since_ms == 0) return fmt::format("{} is {}{}{}", d.name, d.state, why, emergency);
  return fmt::format("{} has been {} for {}{}{}", d.name, d.state, spell_since(d.since_ms, now_ms), why, emergency);
}

std::string list_text(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += i + 1 == items.size() ? " and " : ", ";
    out += items[i];
  }
  return out;
}

std::string daemons_text(const std::vector<DaemonLine>& daemons) {
  std::vector<std::string> names;
  std::map<std::string, int> count;
  for (const auto& d : daemons) {
    if (runs(d) && count[d.name]++ == 0) names.push_back(d.name);
  }
  std::string out;
  for (const auto& name : names) {
    out += fmt::format("{}{}{}", out.empty() ? "" : " ", name, count[name] > 1 ? fmt::format("*{}", count[name]) : "");
  }
  for (const auto& d : daemons) {
    if (!runs(d)) out += fmt::format("{}{} {} ({})", out.empty() ? "" : ", ", d.name, d.worker, d.state);
  }
  const bool all = std::ranges::all_of(daemons, runs);
  return all ? out + " running" : out;
}

std::string number(const std::optional<std::uint64_t>& n) { return n ? fmt::format("{}", *n) : ""; }
std::string dash(const std::optional<std::uint64_t>& n) { return n ? fmt::format("{}", *n) : "-"; }

std::string destinations_text(const Status& status) {
  Table table({"DESTINATION", "STATE", "MODE", "SINCE", ">QUEUED", "REASON"});
  for (const auto& d : status.destinations) {
    table.add({d.name, d.stale ? d.state + " (not confirmed)" : d.state, d.mode, ago_text(d.since_ms, status.now_ms),
               number(d.queued), d.reason});
  }
  return table.take();
}

std::string domains_text(const Status& status) {
  Table table({"DOMAIN", "DESTINATION", ">COVERED", "CATCH-ALL"});
  for (const auto& d : status.domains) {
    const std::string catch_all = !d.catch_all ? "" : *d.catch_all ? "yes: nothing is learnt" : "no";
    const std::string covered = d.coverage_percent ? fmt::format("{} %", *d.coverage_percent) : "";
    table.add({d.name, d.destination, covered, catch_all});
  }
  return table.take();
}

std::string warnings_text(const Status& status) {
  std::string out;
  for (const auto& d : status.domains) {
    if (d.coverage_percent != 0) continue;
    out += base::printable(
               fmt::format("warning: if {} went down now, nobody's mail for {} would be kept", d.destination, d.name)) +
           "\n";
  }
  return out;
}

std::string filtering_warnings(const Status& status) {
  std::string out;
  for (const auto& warning : filter_warnings(status.filtering, status.filtered_domains)) {
    out += base::printable("warning: " + warning) + "\n";
  }
  return out;
}

bool bypassed_by_hand(const BypassLine& line) { return line.by_hand && line.on; }

std::string queue_details(const QueueLine& q) {
  std::string out = fmt::format("{}, {}; {} active, {} deferred, {} held, {} frozen", count_text(q.messages, "message"),
                                bytes_text(q.bytes), dash(q.active), q.deferred, q.held, q.frozen);
  if (q.unfiltered > 0) out += fmt::format("; {} UNSCANNED", q.unfiltered);
  if (q.oldest_seconds) out += fmt::format("; oldest {}", base::spell(base::Seconds{*q.oldest_seconds}));
  return out;
}

std::string spool_text(const SpoolLine& s) {
  return fmt::format("{} free ({} %), {}", bytes_text(s.free_bytes), s.free_percent,
                     s.accepting ? "accepting" : "NOT ACCEPTING: less is free than spool.reserve");
}

std::string quota_text(const QuotaLine& q) {
  std::string out;
  if (q.max_messages > 0) out += fmt::format("{} of {} messages", q.messages, q.max_messages);
  if (q.max_bytes > 0)
    out += fmt::format("{}{} of {}", out.empty() ? "" : ", ", bytes_text(q.bytes), bytes_text(q.max_bytes));
  return fmt::format("{}: {}{}", q.name.empty() ? "the whole queue" : q.name, out, q.full() ? ": USED UP" : "");
}

std::string reports_text(const ReportsLine& r) {
  std::string out = fmt::format("{} written, {} suppressed", r.written, r.suppressed);
  if (r.delays > 0) out += fmt::format("; {} of a delay", r.delays);
  if (r.possible_duplicates > 0)
    out += fmt::format("; {} may have been delivered twice", count_text(r.possible_duplicates, "message"));
  return out;
}

std::string clients_text(const ClientsLine& c) {
  std::string out = fmt::format("{} now", c.now);
  std::vector<std::string> refused;
  const auto add = [&](std::uint64_t count, const char* what) {
    if (count > 0) refused.push_back(count_text(count, what));
  };
  add(c.refused_connections, "connection");
  add(c.refused_messages, "message");
  add(c.refused_recipients + c.refused_kept, "recipient");
  if (!refused.empty()) out += fmt::format("; refused by a limit: {}", list_text(refused));
  if (c.early_talkers > 0) out += fmt::format("; {} spoke too early", c.early_talkers);
  if (c.stressed_workers > 0) out += "; UNDER STRESS: time-outs are short";
  return out;
}

std::string alerts_text(const std::vector<AlertLine>& alerts) {
  if (alerts.empty()) return "none is open";
  std::string out = fmt::format("{} open: ", alerts.size());
  for (const auto& a : alerts) {
    if (&a != &alerts.front()) out += "; ";
    out += fmt::format("{} {}{}", a.id, a.title, a.acknowledged ? " (acknowledged)" : "");
  }
  return out;
}

json alerts_json(const std::vector<AlertLine>& alerts) {
  json out = json::array();
  for (const auto& a : alerts) {
    out.push_back({{"id", a.id}, {"title", a.title}, {"severity", a.severity}, {"since", a.since},
                   {"acknowledged", a.acknowledged}});
  }
  return out;
}

json clients_json(const ClientsLine& c) {
  return {{"now", c.now},
          {"stress", c.stressed_workers > 0},
          {"refused_connections", c.refused_connections},
          {"refused_messages", c.refused_messages},
          {"refused_recipients", c.refused_recipients},
          {"refused_kept", c.refused_kept},
          {"early_talkers", c.early_talkers}};
}

json quota_json(const QuotaLine& q) {
  return {{"domain", q.name.empty() ? json() : json(q.name)},
          {"messages", q.messages},
          {"bytes", q.bytes},
          {"max_messages", q.max_messages},
          {"max_bytes", q.max_bytes},
          {"full", q.full()}};
}

json reports_json(const ReportsLine& r) {
  return {{"written", r.written}, {"delays", r.delays}, {"suppressed", r.suppressed}};
}

json daemon_json(const DaemonLine& d) {
  return {{"name", d.name},
          {"worker", d.worker},
          {"pid", optional_json(d.pid)},
          {"state", d.state},
          {"restarts", optional_json(d.restarts)}};
}

json destination_json(const DestinationLine& d) {
  return {{"name", d.name},
          {"state", d.state.empty() ? json() : json(d.state)},
          {"reason", d.reason},
          {"mode", d.mode},
          {"since", time_json(d.since_ms)},
          {"queued", optional_json(d.queued)},
          {"confirmed", !d.stale}};
}

json queue_json(const QueueLine& q) {
  return {{"messages", q.messages},
          {"bytes", q.bytes},
          {"active", optional_json(q.active)},
          {"deferred", q.deferred},
          {"held", q.held},
          {"frozen", q.frozen},
          {"unfiltered", q.unfiltered},
          {"oldest_seconds", optional_json(q.oldest_seconds)}};
}

}  // namespace

std::string mode_text(const std::string& effective_state) {
  if (effective_state == "down") return "pass thro'";
  return effective_state == "paused" ? "queue" : "proxy";
}

std::string overall_mode(const Status& status) {
  std::string out = "-";
  for (const char* mode : {"proxy", "greylist", "queue", "pass thro'"}) {
    if (std::ranges::any_of(status.destinations, [&](const DestinationLine& d) { return d.mode == mode; })) out = mode;
  }
  return out;
}

std::vector<const DestinationLine*> worst_first(const std::vector<DestinationLine>& destinations) {
  std::vector<const DestinationLine*> out;
  for (const auto& d : destinations) out.push_back(&d);
  std::ranges::stable_partition(out, [](const auto* d) { return d->state == "down"; });
  return out;
}

std::string situation(const Status& status) {
  const auto& daemons = status.daemons;
  if (daemons.empty() || std::ranges::none_of(daemons, runs)) {
    return base::printable(fmt::format("Holdfast is not running; {}.", queue_text(status)));
  }
  std::vector<std::string> troubles;
  for (const auto& d : daemons) {
    if (!runs(d)) troubles.push_back(fmt::format("{} is {}", d.name, d.state));
  }
  const auto repeats = std::ranges::unique(troubles);
  troubles.erase(repeats.begin(), repeats.end());
  for (const auto* d : worst_first(status.destinations)) {
    if (d->state.empty()) troubles.push_back(fmt::format("{} has not been looked at yet", d->name));
    if (!d->state.empty() && d->state != "up") troubles.push_back(trouble_text(*d, status));
  }
  if (std::ranges::any_of(status.filtering.bypasses, bypassed_by_hand)) troubles.emplace_back("filters are bypassed by hand");
  for (const auto& f : status.filtering.filters) {
    if (f.failing == true) troubles.push_back(fmt::format("the filter {} fails", f.name));
  }
  if (status.spool && !status.spool->accepting)
    troubles.emplace_back("the spool's disk is full and new mail is refused for now");
  if (!status.index_works) troubles.emplace_back("the queue's index cannot be written");
  for (const auto& q : status.quotas) {
    if (q.full()) troubles.push_back(fmt::format("the quota of {} is used up", q.name.empty() ? "the queue" : q.name));
  }
  if (!troubles.empty()) return base::printable(fmt::format("{}; {}.", list_text(troubles), queue_text(status)));
  if (status.destinations.empty()) return "All daemons run, but no destination is configured: all mail is refused.";
  return base::printable(fmt::format("All is well: mail passes straight through; {}.", queue_text(status)));
}

std::string status_text(const Status& status) {
  std::string out = situation(status) + "\n";
  out += filtering_warnings(status) + warnings_text(status);
  if (!status.destinations.empty()) out += "\n" + destinations_text(status);
  if (!status.domains.empty()) out += "\n" + domains_text(status);
  out += "\nqueue    " + (status.queue ? queue_details(*status.queue) : "-") + "\n";
  out += "spool    " + (status.spool ? spool_text(*status.spool) : "-") + "\n";
  for (const auto& q : status.quotas) out += "quota    " + base::printable(quota_text(q)) + "\n";
  if (status.clients) out += "clients  " + clients_text(*status.clients) + "\n";
  out += "bounces  " + (status.reports ? reports_text(*status.reports) : "-") + "\n";
  out += "alerts   " + (status.alerts ? base::printable(alerts_text(*status.alerts)) : "-") + "\n";
  return out + "daemons  " + base::printable(daemons_text(status.daemons)) + "\n";
}

std::string status_json(const Status& status) {
  json out{{"situation", situation(status)},
           {"daemons", json::array()},
           {"destinations", json::array()},
           {"domains", json::array()}};
  for (const auto& d : status.daemons) out["daemons"].push_back(daemon_json(d));
  for (const auto& d : status.destinations) out["destinations"].push_back(destination_json(d));
  for (const auto& d : status.domains) {
    out["domains"].push_back({{"name", d.name},
                              {"destination", d.destination},
                              {"coverage_percent", optional_json(d.coverage_percent)},
                              {"catch_all", optional_json(d.catch_all)}});
  }
  out["queue"] = status.queue ? queue_json(*status.queue) : json();
  out["spool"] = status.spool ? json{{"free_bytes", status.spool->free_bytes},
                                     {"free_percent", status.spool->free_percent},
                                     {"accepting", status.spool->accepting}}
                              : json();
  const json filtering = json::parse(filtering_json(status.filtering));
  out["filters"] = filtering["filters"];
  out["bypass"] = filtering["bypass"];
  out["warnings"] = filter_warnings(status.filtering, status.filtered_domains);
  out["clients"] = status.clients ? clients_json(*status.clients) : json();
  out["bounces"] = status.reports ? reports_json(*status.reports) : json();
  out["possible_duplicates"] = status.reports ? json(status.reports->possible_duplicates) : json();
  out["alerts"] = status.alerts ? alerts_json(*status.alerts) : json();
  out["quotas"] = json::array();
  for (const auto& q : status.quotas) out["quotas"].push_back(quota_json(q));
  return dump_line(out);
}

}  // namespace holdfast::admin
