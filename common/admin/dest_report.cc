#include "common/admin/dest_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/base/text.h"
#include "common/admin/text_json.h"

namespace holdfast::admin {
namespace {

std::string state_text(const DestinationView& view) {
  return view.row ? std::string(mail::to_text(view.row->state)) : "";
}

std::string queued_text(const DestinationView& view) { return view.queued ? fmt::format("{}", *view.queued) : ""; }

std::string truth(const std::optional<bool>& value) { return !value ? "" : *value ? "yes" : "no"; }

const storage::ServerRow* row_of(const DestinationView& view, const std::string& server) {
  if (!view.row) return nullptr;
  const auto found = std::ranges::find(view.row->servers, server, &storage::ServerRow::server);
  return found == view.row->servers.end() ? nullptr : &*found;
}

// Those of the configuration, or those that the prober found by MX.
std::vector<std::string> servers_of(const DestinationView& view) {
  std::vector<std::string> out;
  for (const auto& server : view.config->servers) out.push_back(server.text());
  if (!view.config->mx || !view.row) return out;
  for (const auto& row : view.row->servers) out.push_back(row.server);
  return out;
}

std::string servers_text(const DestinationView& view) {
  std::string out;
  for (const auto& server : servers_of(view)) {
    const auto* row = row_of(view, server);
    out += fmt::format("{}{}{}", out.empty() ? "" : " ", server, row != nullptr && !row->up ? "(down)" : "");
  }
  return out;
}

json servers_json(const DestinationView& view) {
  json out = json::array();
  for (const auto& server : servers_of(view)) {
    const auto* row = row_of(view, server);
    if (row == nullptr) {
      out.push_back({{"server", server}, {"state", nullptr}, {"reason", ""}, {"since", nullptr},
                     {"addresses", json::array()}});
    } else {
      out.push_back({{"server", server}, {"state", row->up ? "up" : "down"}, {"reason", row->reason},
                     {"since", time_json(row->since_ms)}, {"addresses", row->addresses}});
    }
  }
  return out;
}

std::string pause_text(const storage::DestinationRow& row, std::int64_t now_ms) {
  const std::string until = row.paused_until_ms == 0 ? "until resumed" : "until " + dated_text(row.paused_until_ms, now_ms);
  return fmt::format("by {}, {}: {}", row.paused_by, until, row.paused_reason);
}

std::string percent(const DomainView& view) {
  const auto covered = view.row ? storage::coverage_percent(*view.row, view.now_ms) : std::nullopt;
  return covered ? fmt::format("{} %", *covered) : "";
}

std::string learnt_text(const DomainView& view) { return view.learnt ? fmt::format("{}", *view.learnt) : ""; }

}  // namespace

Table destination_table() {
  return Table({"DESTINATION", "STATE", "MODE", "SINCE", ">QUEUED", "LAST PROBE", "SERVERS", "REASON"});
}

void add_to(Table& table, const DestinationView& view, std::int64_t now_ms) {
  const auto row = view.row.value_or(storage::DestinationRow{});
  table.add({view.config->name, state_text(view), view.mode, ago_text(row.since_ms, now_ms), queued_text(view),
             ago_text(row.last_probe_ms, now_ms), servers_text(view), row.reason});
}

std::string destination_text(const DestinationView& view, std::int64_t now_ms) {
  const auto row = view.row.value_or(storage::DestinationRow{});
  std::string out =
      field_line("destination", view.config->name) + field_line("state", state_text(view)) + field_line("mode", view.mode) +
      field_line("reason", row.reason) + field_line("since", dated_text(row.since_ms, now_ms)) +
      field_line("last probe", dated_text(row.last_probe_ms, now_ms)) + field_line("queued", queued_text(view)) +
      field_line("capabilities", row.capabilities.text()) + field_line("catch-all", truth(view.catch_all)) +
      field_line("retry", view.config->retry) + field_line("domains", fmt::format("{}", fmt::join(view.domains, " ")));
  if (row.paused) out += field_line("paused", pause_text(row, now_ms));
  Table table({"SERVER", "STATE", "SINCE", "ADDRESSES", "REASON"});
  for (const auto& server : servers_of(view)) {
    const auto* s = row_of(view, server);
    if (s == nullptr) {
      table.add({server});
    } else {
      table.add({server, s->up ? "up" : "down", ago_text(s->since_ms, now_ms),
                 fmt::format("{}", fmt::join(s->addresses, " ")), s->reason});
    }
  }
  return out + "\n" + table.take();
}

std::string destination_json(const DestinationView& view) {
  const auto row = view.row.value_or(storage::DestinationRow{});
  return dump_line({{"name", view.config->name},
                    {"state", view.row ? json(mail::to_text(row.state)) : json()},
                    {"reason", row.reason},
                    {"mode", view.mode},
                    {"since", time_json(row.since_ms)},
                    {"queued", optional_json(view.queued)},
                    {"servers", servers_json(view)},
                    {"last_probe", time_json(row.last_probe_ms)},
                    {"capabilities", row.capabilities.text()},
                    {"catch_all", optional_json(view.catch_all)},
                    {"paused_by", row.paused_by},
                    {"paused_reason", row.paused_reason},
                    {"paused_until", time_json(row.paused_until_ms)},
                    {"domains", view.domains}});
}

std::optional<bool> catch_all(const DomainView& view) {
  if (!view.row || view.row->destination != view.config->destination) return std::nullopt;
  if (view.row->catch_all == storage::CatchAll::kUnknown) return std::nullopt;
  return view.row->catch_all == storage::CatchAll::kYes;
}

Table domain_table() { return Table({"DOMAIN", "DESTINATION", "MODE", ">LOCAL", ">LEARNT", ">COVERED", "CATCH-ALL"}); }

void add_to(Table& table, const DomainView& view) {
  table.add({view.config->name, view.config->destination, view.config->mode,
             fmt::format("{}", view.config->local_recipients.size()), learnt_text(view), percent(view),
             truth(catch_all(view))});
}

std::string domain_text(const DomainView& view) {
  const std::int64_t tested = view.row ? view.row->catch_all_tested_ms : 0;
  return field_line("domain", view.config->name) + field_line("destination", view.config->destination) +
         field_line("mode", view.config->mode) +
         field_line("local", fmt::format("{} and postmaster", view.config->local_recipients.size())) +
         field_line("learnt", learnt_text(view)) + field_line("covered", percent(view)) +
         field_line("catch-all", truth(catch_all(view))) + field_line("tested", dated_text(tested, view.now_ms));
}

std::string domain_json(const DomainView& view) {
  const auto covered = view.row ? storage::coverage_percent(*view.row, view.now_ms) : std::nullopt;
  return dump_line({{"name", view.config->name},
                    {"destination", view.config->destination},
                    {"mode", view.config->mode},
                    {"local_recipients", view.config->local_recipients},
                    {"learnt", optional_json(view.learnt)},
                    {"coverage_percent", optional_json(covered)},
                    {"catch_all", optional_json(catch_all(view))},
                    {"catch_all_tested", time_json(view.row ? view.row->catch_all_tested_ms : 0)}});
}

std::string coverage_text(const DomainView& view) {
  const auto covered = view.row ? storage::coverage_percent(*view.row, view.now_ms) : std::nullopt;
  const auto& domain = *view.config;
  const std::string known = fmt::format("{} local, {} learnt", domain.local_recipients.size() + 1, view.learnt ? learnt_text(view) : "-");
  const std::string share = covered ? fmt::format("{} % of the last week's mail for it would be kept", *covered)
                                    : std::string("nobody can say how much of its mail would be kept: there was none in the last week");
  const bool all = catch_all(view).value_or(false);
  return base::printable(fmt::format("{}: if {} went down now, {} ({}{})", domain.name, domain.destination, share, known,
                                     all ? "; its server accepts any address, so nothing is learnt" : "")) + "\n";
}

}  // namespace holdfast::admin
