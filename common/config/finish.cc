#include "common/config/finish.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>
#include <unistd.h>

#include "common/base/idn.h"
#include "common/base/text.h"
#include "common/config/presets.h"
#include "common/config/read_item.h"
#include "common/config/values.h"

namespace holdfast::config {
namespace {

// A Unix socket's path has 108 bytes with its final zero; ours end in "/prober.sock".
constexpr std::size_t kLongestRun = 90;

void finish_hostname(Draft& draft) {
  std::string& name = draft.config.hostname;
  const auto place = draft.places.find("hostname");
  const Place where = place == draft.places.end() ? Place{draft.config.file, 0} : place->second;
  if (name.empty() && place == draft.places.end()) {
    char buffer[256]{};
    if (::gethostname(buffer, sizeof buffer - 1) == 0) name = buffer;
    if (const auto fault = hostname_fault(name); !fault.empty()) {
      draft.faults.error(where, fmt::format("hostname: must be given, since the machine's own name '{}' {}", name, fault));
    }
  }
  if (!name.empty() && name.find('.') == name.npos) {
    draft.faults.warning(where, fmt::format("hostname: '{}' has no domain; many servers refuse such a name", name));
  }
}

void finish_paths(Draft& draft) {
  Paths& paths = draft.config.paths;
  fill_paths(paths);
  if (paths.run.size() <= kLongestRun) return;
  const char* setting = draft.places.contains("paths.run") ? "paths.run" : "paths.base";
  draft.faults.error(draft.places[setting], fmt::format("{}: the run folder '{}' is too long for sockets: {} characters "
                                                        "at most", setting, paths.run, kLongestRun));
}

// Mail sent there comes back to us.
bool is_ours(const HostPort& server, const std::vector<HostPort>& listen) {
  return std::ranges::any_of(listen, [&](const HostPort& l) {
    if (l == server) return true;
    const bool loopback = (l.host == "0.0.0.0" && server.host.starts_with("127.")) || (l.host == "::" && server.host == "::1");
    return l.port == server.port && loopback;
  });
}

// What a preset says but for its phases; a jitter that was given stays.
void finish_schedule(const Draft& draft, Destination& destination, const std::string& jitter_setting) {
  const Preset* preset = find_preset(destination.retry);
  if (preset == nullptr) return;  // a list of phases
  destination.schedule = preset->phases;
  destination.early_warning = preset->early_warning;
  if (!draft.places.contains(jitter_setting)) destination.jitter = preset->jitter;
}

void finish_bounces(Draft& draft) {
  Destination& road = draft.config.bounce_road;
  finish_schedule(draft, road, "");
  road.mx = road.servers.empty();
  if (road.mx || !is_ours(road.servers.front(), draft.config.listen)) return;
  draft.faults.error(draft.places["bounces.relay"],
                     fmt::format("bounces.relay: {} is where we listen ourselves", road.servers.front().text()));
}

// Servers of its own, or those of the domain's MX.
void finish_servers(Draft& draft, const Destination& destination, const Place& place) {
  const std::string prefix = fmt::format("destinations.{}.", destination.name);
  const bool given = draft.places.contains(prefix + "servers");
  if (!given && !destination.mx) {
    draft.faults.error(place, fmt::format("destinations.{} lacks 'servers'", destination.name));
  }
  if (given && destination.mx) {
    draft.faults.error(draft.places[prefix + "mx"],
                       fmt::format("{0}mx: servers found by MX and {0}servers exclude each other", prefix));
  }
}

// RFC 2033 section 5 for the port.
void check_manner(Draft& draft, const Destination& destination) {
  const std::string prefix = "destinations." + destination.name;
  const auto refuse = [&](const std::string& setting, const std::string& why) {
    draft.faults.error(draft.places[prefix + setting], fmt::format("{}{}: {}", prefix, setting, why));
  };
  if (destination.protocol == "lmtp") {
    if (destination.mx) refuse(".protocol", "servers found by MX speak SMTP");
    const auto at25 = std::ranges::find(destination.servers, 25, &HostPort::port);
    if (at25 != destination.servers.end()) refuse(".protocol", fmt::format("{}: LMTP does not go to port 25", at25->text()));
  }
  if (destination.client != "none" && destination.mx) refuse(".client", "servers found by MX will not believe us");
}

void finish_destinations(Draft& draft) {
  std::set<std::string> used;
  for (const auto& [name, domain] : draft.config.domains) used.insert(domain.destination);
  for (auto& [name, destination] : draft.config.destinations) {
    finish_schedule(draft, destination, "destinations." + name + ".retry_jitter");
    const Place& place = draft.places["destinations." + name];
    if (!used.contains(name)) draft.faults.warning(place, fmt::format("destination '{}' is used by no domain", name));
    finish_servers(draft, destination, place);
    check_manner(draft, destination);
    for (const auto& server : destination.servers) {
      if (is_ours(server, draft.config.listen)) {
        const std::string setting = fmt::format("destinations.{}.servers", name);
        draft.faults.error(draft.places[setting], fmt::format("{}: {} is where we listen ourselves", setting, server.text()));
      }
    }
  }
}

void check_destination_of(Draft& draft, const Domain& domain) {
  const auto& all = draft.config.destinations;
  const std::string setting = fmt::format("domains.{}.destination", domain.name);
  if (all.contains(domain.destination) || !draft.places.contains(setting)) return;
  // Described, but faulty: that has been said.
  if (draft.places.contains("destinations." + domain.destination)) return;
  std::vector<std::string> known;
  for (const auto& [name, destination] : all) known.push_back(name);
  draft.faults.error(draft.places[setting], fmt::format("{}: there is no destination '{}'{}", setting, domain.destination,
                                                        hint(domain.destination, known)));
}

// The full, lower-case address; empty and a fault if it is none.
std::string full_recipient(Draft& draft, const Domain& domain, const std::string& written, const Place& place) {
  const auto refuse = [&](const std::string& why) {
    draft.faults.error(place, fmt::format("domains.{}.local_recipients: '{}' {}", domain.name, written, why));
    return std::string();
  };
  const auto at = written.rfind('@');
  const std::string local = base::to_lower(written.substr(0, at));
  if (const auto fault = local_part_fault(local); !fault.empty()) return refuse("is not an address: it " + fault);
  if (at != written.npos && base::ascii_domain(std::string_view(written).substr(at + 1)) != domain.name) {
    return refuse(fmt::format("is not in {}", domain.name));
  }
  const std::string& delimiter = draft.config.recipient_delimiter;
  const auto extension = delimiter.empty() ? local.npos : local.find(delimiter, 1);
  if (extension != local.npos) {
    return refuse(fmt::format("has an extension; with recipient_delimiter \"{}\" write {}@{}", delimiter,
                              local.substr(0, extension), domain.name));
  }
  return fmt::format("{}@{}", local, domain.name);
}

// Mail comes to a backup MX while the others are down, when nothing can be learnt (decision 13).
void warn_of_backup(Draft& draft, const Domain& domain) {
  const auto at = draft.config.destinations.find(domain.destination);
  if (at == draft.config.destinations.end() || !at->second.mx || !domain.local_recipients.empty()) return;
  if (!domain.local_recipients_file.empty()) return;
  draft.faults.warning(draft.places["domains." + domain.name],
                       fmt::format("domains.{}: a backup MX sees few recipients while the domain's own servers work, so it "
                                   "learns few: without local_recipients it will keep little when they are down", domain.name));
}

void finish_recipients(Draft& draft, Domain& domain) {
  const std::string setting = fmt::format("domains.{}.local_recipients", domain.name);
  const auto& places = draft.item_places[setting];
  auto& list = domain.local_recipients;
  const auto star = std::ranges::find(list, "*");
  if (star != list.end()) {
    const Place& place = places[static_cast<std::size_t>(star - list.begin())];
    draft.faults.warning(place, fmt::format("{}: \"*\" keeps mail for addresses that may not exist; their senders "
                                            "will hear of it late or never", setting));
    list = {"*"};
    return;
  }
  std::vector<std::string> full;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (auto address = full_recipient(draft, domain, list[i], places[i]); !address.empty()) full.push_back(std::move(address));
  }
  std::ranges::sort(full);
  const auto repeats = std::ranges::unique(full);
  full.erase(repeats.begin(), repeats.end());
  list = std::move(full);
}

}  // namespace

void fill_paths(Paths& paths) {
  const auto fill = [&](std::string& path, const char* name, const char* standard) {
    if (path.empty()) path = paths.base.empty() ? standard : fmt::format("{}/{}", paths.base, name);
  };
  fill(paths.spool, "spool", "/var/spool/holdfast");
  fill(paths.state, "state", "/var/lib/holdfast");
  fill(paths.run, "run", "/run/holdfast");
  fill(paths.log, "log", "/var/log/holdfast");
}

void finish(Draft& draft) {
  finish_hostname(draft);
  finish_paths(draft);
  finish_destinations(draft);
  finish_bounces(draft);
  for (auto& [name, domain] : draft.config.domains) {
    check_destination_of(draft, domain);
    finish_recipients(draft, domain);
    warn_of_backup(draft, domain);
  }
  if (draft.config.domains.empty() && !draft.faults.any()) {
    draft.faults.warning({draft.config.file, 0}, "no domains: all mail will be refused");
  }
}

}  // namespace holdfast::config
