#include "common/admin/status_look.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/admin/alert_report.h"
#include "common/admin/filter_look.h"
#include "common/admin/text_json.h"
#include "common/config/bypass.h"
#include "common/storage/space.h"

namespace holdfast::admin {
namespace {

constexpr base::Seconds kQuick{2};

// Without master there is nobody who knows; qmgr and prober are asked themselves.
std::vector<DaemonLine> orphans(const Gateway& gateway) {
  std::vector<DaemonLine> out{{"master", 0, std::nullopt, "stopped", std::nullopt}};
  for (const char* name : {"prober", "qmgr", "alertd"}) {
    const std::string question = name == std::string_view("alertd") ? "alert.list" : fmt::format("{}.status", name);
    const bool answers = gateway.ask(name, question, {}, kQuick).has_value();
    out.push_back({name, 0, std::nullopt, answers ? "running" : "stopped", std::nullopt});
  }
  return out;
}

std::optional<ClientsLine> clients_line(const json& told) {
  const auto c = told.find("clients");
  if (c == told.end() || !c->is_object()) return std::nullopt;
  const auto number = [&](const char* name) { return c->value(name, std::uint64_t{0}); };
  return ClientsLine{.now = number("now"),
                     .stressed_workers = number("stressed_workers"),
                     .refused_connections = number("refused_connections"),
                     .refused_messages = number("refused_messages"),
                     .refused_recipients = number("refused_recipients"),
                     .refused_kept = number("refused_kept"),
                     .early_talkers = number("early_talkers")};
}

std::vector<DaemonLine> daemons(const Gateway& gateway, std::optional<ClientsLine>& clients) {
  const auto answer = gateway.ask("master", "master.status", {}, kQuick);
  const json told = answer ? json::parse(*answer, nullptr, false) : json();
  if (!told.is_object() || !told.contains("daemons")) return orphans(gateway);
  clients = clients_line(told);
  std::vector<DaemonLine> out;
  for (const auto& d : told["daemons"]) {
    const auto pid = d.value("pid", json());
    out.push_back({d.value("name", ""), d.value("worker", 0U),
                   pid.is_number() ? std::optional(pid.get<std::int64_t>()) : std::nullopt, d.value("state", ""),
                   d.value("restarts", std::uint64_t{0})});
  }
  return out;
}

DestinationLine destination_line(const config::Config& config, const config::Destination& d,
                                 const std::optional<storage::DestinationRow>& row, std::int64_t now_ms) {
  DestinationLine out;
  out.name = d.name;
  out.mode = shown_mode(config, d.name, "up");
  if (!row) return out;
  const auto interval = std::chrono::duration_cast<base::Millis>(d.probe.interval).count();
  const auto effective = storage::effective_state(*row, now_ms, interval);
  out.state = mail::to_text(row->state);
  out.stale = effective != row->state;
  out.mode = shown_mode(config, d.name, mail::to_text(effective));
  out.reason = row->reason;
  out.since_ms = row->since_ms;
  return out;
}

DomainLine domain_line(const config::Domain& d, const std::optional<storage::DomainRow>& row, std::int64_t now_ms) {
  DomainLine out{d.name, d.destination, std::nullopt, std::nullopt};
  if (!row) return out;
  out.coverage_percent = storage::coverage_percent(*row, now_ms);
  if (row->destination == d.destination && row->catch_all != storage::CatchAll::kUnknown) {
    out.catch_all = row->catch_all == storage::CatchAll::kYes;
  }
  return out;
}

// Destinations are there already.
void add_bypass(const config::Config& config, const config::Domain& d, const std::optional<storage::DomainRow>& row, Status& status) {
  const auto destination = std::ranges::find(status.destinations, d.destination, &DestinationLine::name);
  if (destination == status.destinations.end() || !config::asks_anybody(config, d)) return;
  const bool down = destination->state == "down" && !destination->stale;
  auto line = bypass_line(config, d, row, down, status.now_ms);
  destination->asked = destination->asked || !line || !line->on;
  if (line) status.filtering.bypasses.push_back(std::move(*line));
}

void gather_directory(Gateway& gateway, Status& status) {
  const config::Config& config = gateway.config();
  const auto tell = [&](const auto& destination_row, const auto& domain_row) {
    for (const auto& [name, d] : config.destinations) {
      status.destinations.push_back(destination_line(config, d, destination_row(name), status.now_ms));
    }
    for (const auto& [name, d] : config.domains) {
      const auto row = domain_row(name);
      status.domains.push_back(domain_line(d, row, status.now_ms));
      add_bypass(config, d, row, status);
    }
  };
  const auto read = gateway.directory().read([&](const storage::Directory& directory, const storage::Txn& txn) {
    tell([&](const std::string& name) { return directory.destination(txn, name); },
         [&](const std::string& name) { return directory.domain(txn, name); });
  });
  if (!read) {
    tell([](const std::string&) { return std::optional<storage::DestinationRow>(); },
         [](const std::string&) { return std::optional<storage::DomainRow>(); });
  }
}

// What qmgr alone knows.
void gather_qmgr(const std::optional<std::string>& said, Status& status) {
  const json told = said ? json::parse(*said, nullptr, false) : json();
  if (!told.is_object()) return;
  status.index_works = told.value("committing", true);
  ReportsLine line;
  if (const auto bounces = told.find("bounces"); bounces != told.end() && bounces->is_object()) {
    line.written = bounces->value("written", std::uint64_t{0});
    line.delays = bounces->value("delays", std::uint64_t{0});
    line.suppressed = bounces->value("suppressed", std::uint64_t{0});
  }
  line.possible_duplicates = told.value("possible_duplicates", std::uint64_t{0});
  status.reports = line;
}

void add_quota(Status& status, const std::string& name, const config::Quota& quota, const storage::Counter& counter) {
  if (quota.messages == 0 && quota.bytes == 0) return;
  status.quotas.push_back({.name = name,
                           .messages = counter.messages(),
                           .bytes = counter.bytes,
                           .max_messages = quota.messages,
                           .max_bytes = quota.bytes});
}

void gather_quotas(const config::Config& config, Status& status,
                   const std::function<storage::Counter(const std::string& domain)>& counter) {
  add_quota(status, "", config.quota, counter(""));
  for (const auto& [name, domain] : config.domains) add_quota(status, name, domain.quota, counter(name));
}

void add_queued(const storage::Counter& counter, DestinationLine& line) {
  line.queued = counter.messages();
  line.deferred = counter.deferred;
  line.held = counter.held;
  line.frozen = counter.frozen;
  line.bytes = counter.bytes;
}

void gather_queue(Gateway& gateway, Status& status) {
  const auto said = gateway.qmgr_status();
  gather_qmgr(said, status);
  const auto active = said ? active_in(*said) : std::nullopt;
  const auto read = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
    const auto all = index.counter(txn, "");
    QueueLine line{.messages = all.messages(),
                   .bytes = all.bytes,
                   .deferred = all.deferred,
                   .held = all.held,
                   .frozen = all.frozen,
                   .active = std::nullopt,
                   .oldest_seconds = std::nullopt,
                   .unfiltered = all.unfiltered};
    if (active) {
      line.active = active->size();
      line.deferred -= std::min<std::uint64_t>(line.deferred, active->size());
    }
    if (const auto oldest = index.oldest_arrival_ms(txn)) {
      line.oldest_seconds = std::max<std::int64_t>(0, status.now_ms - *oldest) / 1000;
    }
    for (auto& d : status.destinations) add_queued(index.counter(txn, d.name), d);
    gather_quotas(gateway.config(), status,
                  [&](const std::string& domain) { return domain.empty() ? all : index.domain_counter(txn, domain); });
    status.queue = line;
  });
  if (read || read.error().kind != base::Kind::kNotFound) return;
  // Nothing was ever kept here.
  status.queue =
      QueueLine{.active = active ? std::optional<std::uint64_t>(0) : std::nullopt, .oldest_seconds = std::nullopt};
  for (auto& d : status.destinations) add_queued({}, d);
  gather_quotas(gateway.config(), status, [](const std::string&) { return storage::Counter{}; });
}

void gather_spool(const Gateway& gateway, Status& status) {
  const auto& config = gateway.config();
  const auto space = storage::read_space(config.paths.spool);
  if (!space) return;
  const storage::Reserve reserve{.percent = config.reserve.percent, .bytes = config.reserve.bytes};
  status.spool = SpoolLine{space->free_bytes, space->free_percent(), storage::accepts(*space, reserve)};
}

}  // namespace

Status gather(Gateway& gateway) {
  Status status;
  status.now_ms = base::to_millis(base::wall_now());
  status.daemons = daemons(gateway, status.clients);
  gather_directory(gateway, status);
  gather_queue(gateway, status);
  gather_spool(gateway, status);
  if (const auto told = gateway.ask("alertd", "alert.list", {}, kQuick)) status.alerts = open_alerts_in(*told);
  status.filtering.filters = filter_lines(gateway.config(), status.alerts);
  status.filtered_domains = filtered_domains(gateway.config());
  return status;
}

std::string shown_mode(const config::Config& config, std::string_view destination, std::string_view effective_state) {
  std::string mode = mode_text(std::string(effective_state));
  if (mode != "proxy") return mode;
  const bool spools = std::ranges::any_of(config.domains, [&](const auto& d) { return d.second.destination == destination && d.second.mode == "queue"; });
  if (spools) return "queue";
  const bool greylists = std::ranges::any_of(config.domains, [&](const auto& d) { return d.second.destination == destination && d.second.greylist; });
  return greylists ? "greylist" : mode;
}

}  // namespace holdfast::admin
