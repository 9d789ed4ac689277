#include "import/exim_route.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "common/base/text.h"
#include "import/servers.h"

namespace holdfast::importer {
namespace {

using base::fail;
using base::Kind;

// Options that change neither which mail a router takes nor where it goes.
const std::set<std::string, std::less<>> kHarmless{
    "driver", "domains", "route_list", "route_data", "transport", "more", "debug_print", "host_find_failed", "host_all_ignored",
    "same_domain_copy_routing", "self", "verify", "verify_recipient", "verify_sender", "hosts_randomize", "ignore_target_hosts",
    "dnssec_request_domains", "retry_use_local_part", "pass_router", "widen_domains", "fail_verify"};

enum class Match { kNo, kYes, kUnsure };

bool is_on(const EximDriver& router, const std::string& option) {
  const auto* value = router.find(option);
  return value != nullptr && *value != "false" && *value != "no";
}

std::string conditions_of(const EximDriver& router) {
  std::string out;
  for (const auto& [name, value] : router.options) {
    if (!kHarmless.contains(name)) out += (out.empty() ? "" : ", ") + name;
  }
  return out;
}

Match takes(const EximDriver& router, const EximLists& lists, const std::string& domain) {
  if (is_on(router, "verify_only")) return Match::kNo;
  const auto* domains = router.find("domains");
  const auto has = domains == nullptr ? std::optional<bool>(true) : lists.has(*domains, domain);
  if (has && !*has) return Match::kNo;
  return has && conditions_of(router).empty() ? Match::kYes : Match::kUnsure;
}

// Port and protocol are the transport's.
base::Status take_transport(const EximFile& file, const EximDriver& router, Target& target, int& port) {
  const auto* name = router.find("transport");
  if (name == nullptr) return fail(Kind::kData, fmt::format("router {} names no transport", router.name));
  const auto transport = std::ranges::find(file.transports, *name, &EximDriver::name);
  if (transport == file.transports.end()) return fail(Kind::kData, fmt::format("transport {} is not in the file", *name));
  const auto* driver = transport->find("driver");
  if (driver == nullptr || *driver != "smtp") return fail(Kind::kData, fmt::format("transport {} is no smtp", *name));
  const auto* protocol = transport->find("protocol");
  if (protocol != nullptr && *protocol != "smtp" && *protocol != "lmtp") return fail(Kind::kData, fmt::format("transport {} speaks {}", *name, *protocol));
  target.lmtp = protocol != nullptr && *protocol == "lmtp";
  port = target.lmtp ? 24 : 25;
  if (const auto* given = transport->find("port")) {
    const auto number = base::to_number(*given == "smtp" ? "25" : *given);
    if (!number || *number == 0 || *number > 65535) return fail(Kind::kData, fmt::format("transport {} has the port {}", *name, *given));
    port = static_cast<int>(*number);
  }
  for (const char* option : {"hosts", "hosts_override", "fallback_hosts"}) {
    if (transport->find(option) != nullptr) return fail(Kind::kData, fmt::format("transport {} has {}", *name, option));
  }
  return {};
}

// "host1:host2::2525", to which "byname" or other words may belong.
base::Status add_hosts(const std::string& text, int port, const std::string& domain, EximRoute& out) {
  for (std::string host : exim_list(text)) {
    if (host.find('$') != host.npos) return fail(Kind::kData, fmt::format("only Exim can work out '{}'", host));
    if (host == "+") return fail(Kind::kData, "sets of hosts that are tried in random order");
    int own_port = port;
    if (base::to_lower(host).ends_with("/mx")) {
      host.resize(host.size() - 3);
      if (!base::iequals(host, domain)) return fail(Kind::kData, fmt::format("the MX of {}", host));
      out.target->mx = true;
      out.target->mx_port = port;
      continue;
    }
    const auto colon = host.rfind(':');
    if (host.find(':') == colon && colon != host.npos) {  // one alone: a port, no IPv6
      const auto number = base::to_number(host.substr(colon + 1));
      if (!number || *number == 0 || *number > 65535) return fail(Kind::kData, fmt::format("'{}' is no server", host));
      own_port = static_cast<int>(*number);
      host.resize(colon);
    }
    const auto server = server_text(host, own_port);
    if (!server) return std::unexpected(server.error());
    out.target->servers.push_back(*server);
  }
  if (out.target->mx == !out.target->servers.empty()) return fail(Kind::kData, "no server, or its MX and servers besides");
  return {};
}

// The hosts of a rule "hosts [byname] [transport]".
base::Status add_rule(std::string_view rest, int port, const std::string& domain, EximRoute& out) {
  std::string hosts;
  if (rest.starts_with('"') && rest.find('"', 1) != rest.npos) {
    hosts = rest.substr(1, rest.find('"', 1) - 1);
    rest = rest.substr(hosts.size() + 2);
  } else {
    hosts = rest.substr(0, rest.find_first_of(" \t"));
    rest.remove_prefix(hosts.size());
  }
  for (const auto word : base::split(base::trim(rest), ' ')) {
    if (!word.empty() && word != "byname" && word != "bydns" && word != "randomize" && word != "no_randomize") {
      return fail(Kind::kData, fmt::format("its rule says '{}' besides the hosts", base::printable(word)));
    }
  }
  return add_hosts(hosts, port, domain, out);
}

// route_list: rules parted by semicolons, the first whose pattern fits. Nothing: none does, the router declines.
base::Result<bool> by_route_list(const std::string& list, const EximLists& lists, int port, const std::string& domain, EximRoute& out) {
  for (const auto& rule : exim_list(list.starts_with('<') ? list : "<;" + list)) {
    const auto blank = rule.find_first_of(" \t");
    const auto match = lists.has(rule.substr(0, blank), domain);
    if (!match) return fail(Kind::kData, fmt::format("cannot tell whether it is meant by '{}'", rule.substr(0, blank)));
    if (!*match) continue;
    if (blank == rule.npos) return fail(Kind::kData, "its rule names no host");
    if (auto done = add_rule(base::trim(std::string_view(rule).substr(blank)), port, domain, out); !done) return std::unexpected(done.error());
    return true;
  }
  return false;
}

// The file of ${lookup{$domain}lsearch{FILE}}, which is how Debian has it, with or without {$value} and the like.
std::optional<std::string> looked_up_file(std::string_view data) {
  const std::string_view head = "${lookup{$domain}";
  if (!data.starts_with(head)) return std::nullopt;
  data.remove_prefix(head.size());
  for (const std::string_view kind : {"lsearch{", "partial-lsearch{"}) {
    if (!data.starts_with(kind)) continue;
    const auto end = data.find('}');
    const auto rest = end == data.npos ? data : data.substr(end + 1);
    if (rest == "}" || rest == "{$value}}" || rest == "{$value}fail}") return std::string(data.substr(kind.size(), end - kind.size()));
  }
  return std::nullopt;
}

base::Result<bool> by_route_data(const std::string& data, const EximLists& lists, int port, const std::string& domain, EximRoute& out) {
  std::string hosts = data;
  if (const auto file = looked_up_file(data)) {
    const auto entries = read_lsearch(*file, lists.read());
    if (!entries) return std::unexpected(entries.error());
    const auto entry = std::ranges::find(*entries, domain, &std::pair<std::string, std::string>::first);
    if (entry == entries->end()) return false;
    hosts = entry->second;
  }
  if (auto done = add_rule(base::trim(hosts), port, domain, out); !done) return std::unexpected(done.error());
  return true;
}

// True: this router has it. False: it declines.
base::Result<bool> route_by(const EximFile& file, const EximLists& lists, const EximDriver& router, const std::string& domain, EximRoute& out) {
  const auto* driver = router.find("driver");
  if (driver == nullptr || (*driver != "manualroute" && *driver != "dnslookup")) {
    return fail(Kind::kData, fmt::format("router {} is neither manualroute nor dnslookup", router.name));
  }
  out.target = Target{};
  int port = 25;
  if (auto done = take_transport(file, router, *out.target, port); !done) return std::unexpected(done.error());
  if (*driver == "dnslookup") {
    out.target->mx = true;
    out.target->mx_port = port;
    if (out.target->lmtp) return fail(Kind::kData, "LMTP to its MX");
    return true;
  }
  if (is_on(router, "hosts_randomize")) out.checks.push_back("Exim takes its hosts in random order; Holdfast tries them in this one.");
  if (const auto* list = router.find("route_list")) return by_route_list(*list, lists, port, domain, out);
  if (const auto* data = router.find("route_data")) return by_route_data(*data, lists, port, domain, out);
  return fail(Kind::kData, fmt::format("router {} has neither route_list nor route_data", router.name));
}

}  // namespace

EximRoute find_exim_route(const EximFile& file, const EximLists& lists, const std::string& domain) {
  EximRoute out;
  for (const auto& router : file.routers) {
    const Match match = takes(router, lists, domain);
    if (match == Match::kNo) continue;
    if (match == Match::kUnsure) {
      out.notes.push_back(fmt::format("router {}: may take some of their mail; it has conditions that are not looked into ({})",
                                      router.name, conditions_of(router).empty() ? "domains" : conditions_of(router)));
      continue;
    }
    EximRoute found{.notes = out.notes};
    const auto done = route_by(file, lists, router, domain, found);
    if (done && *done) return found;
    if (!done) {
      out.target.reset();
      out.why_not = fmt::format("router {}: {}", router.name, done.error().text);
      return out;
    }
  }
  out.why_not = "no router takes its mail for sure";
  return out;
}

}  // namespace holdfast::importer
