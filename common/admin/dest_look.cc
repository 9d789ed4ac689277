#include "common/admin/dest_look.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "common/admin/status_look.h"
#include "common/base/text.h"
#include "common/config/values.h"

namespace holdfast::admin {
namespace {

std::int64_t now_ms() { return base::to_millis(base::wall_now()); }

}  // namespace

DomainView view_of(Gateway& gateway, const config::Domain& domain) {
  DomainView view{&domain, std::nullopt, std::nullopt, now_ms()};
  (void)gateway.directory().read([&](const storage::Directory& directory, const storage::Txn& txn) {
    view.row = directory.domain(txn, domain.name);
    view.learnt = directory.learnt_count(txn, domain.name);
  });
  return view;
}

DestinationView view_of(Gateway& gateway, const config::Destination& destination) {
  DestinationView view;
  view.config = &destination;
  view.row = gateway.directory().destination(destination.name);
  const auto interval = std::chrono::duration_cast<base::Millis>(destination.probe.interval).count();
  const auto state = view.row ? storage::effective_state(*view.row, now_ms(), interval) : mail::DestinationState::kUp;
  view.mode = shown_mode(gateway.config(), destination.name, mail::to_text(state));
  const auto counted = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
    view.queued = index.counter(txn, destination.name).messages();
  });
  if (!counted && counted.error().kind == base::Kind::kNotFound) view.queued = 0;
  for (const auto& [name, domain] : gateway.config().domains) {
    if (domain.destination != destination.name) continue;
    view.domains.push_back(name);
    const auto all = catch_all(view_of(gateway, domain));
    if (all) view.catch_all = view.catch_all.value_or(false) || *all;
  }
  return view;
}

base::Result<const config::Destination*> find_destination(const Gateway& gateway, const std::string& name) {
  if (const auto* found = gateway.config().find_destination(name)) return found;
  std::vector<std::string> known, parts;  // parts: what became of a destination by MX, one a domain
  for (const auto& [other, destination] : gateway.config().destinations) {
    known.push_back(other);
    if (other.starts_with(name + "/")) parts.push_back(other);
  }
  if (parts.size() == 1) return gateway.config().find_destination(parts.front());
  if (!parts.empty()) {
    return base::fail(base::Kind::kNotFound, fmt::format("'{}' is a destination a domain: {}", name, fmt::join(parts, ", ")));
  }
  const auto near = base::nearest(name, known);
  return base::fail(base::Kind::kNotFound, fmt::format("there is no destination '{}'{}", name,
                                                       near ? fmt::format(" (did you mean '{}'?)", *near) : ""));
}

std::vector<config::HostPort> servers_of(Gateway& gateway, const config::Destination& destination) {
  if (!destination.mx) return destination.servers;
  std::vector<config::HostPort> out;
  const auto row = gateway.directory().destination(destination.name);
  if (!row) return out;
  for (const auto& server : row->servers) {
    if (auto parsed = config::parse_server(server.server)) out.push_back(std::move(*parsed));
  }
  return out;
}

std::string domain_of(const Gateway& gateway, const config::Destination& destination) {
  for (const auto& [domain, settings] : gateway.config().domains) {
    if (settings.destination == destination.name) return domain;
  }
  return "";
}

}  // namespace holdfast::admin
