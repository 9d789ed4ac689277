#include "common/config/filters.h"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "common/config/finish_filters.h"
#include "common/config/read_item.h"
#include "common/config/read_value.h"
#include "common/config/values.h"

namespace holdfast::config {
namespace {

// A Unix socket's path has 108 bytes with its final zero.
constexpr std::size_t kLongestPath = 107;
constexpr std::size_t kLongestName = 64;

bool is_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, good);
}

std::string milter_fault(const Filter& filter) {
  if (filter.milter.empty()) return fmt::format("filter '{}' lacks 'milter'", filter.name);
  if (filter_address(filter.milter, {})) return "";
  return fmt::format("filter '{}': milter '{}' must be inet:ADDRESS:PORT (an address, not a name), unix:/PATH or holdfast", filter.name,
                     filter.milter);
}

}  // namespace

bool Filter::asks_after(std::string_view domain) const {
  return domains.empty() || std::ranges::find(domains, domain) != domains.end();
}

std::optional<FilterAddress> filter_address(std::string_view milter, const Paths& paths) {
  if (milter == "holdfast") return FilterAddress{.path = filter_socket(paths), .host = {}, .port = 0};
  if (milter.starts_with("unix:")) {
    const auto path = milter.substr(5);
    if (!path.starts_with('/') || path.size() > kLongestPath) return std::nullopt;
    return FilterAddress{.path = std::string(path), .host = {}, .port = 0};
  }
  if (!milter.starts_with("inet:")) return std::nullopt;
  const auto text = milter.substr(5);
  if (text.rfind(':') == text.npos || text.ends_with(']')) return std::nullopt;
  auto server = parse_server(text);
  if (!server || server->port == 0) return std::nullopt;
  if (server->host == "localhost") server->host = "127.0.0.1";
  if (!is_ip_address(server->host)) return std::nullopt;
  return FilterAddress{.path = {}, .host = server->host, .port = server->port};
}

std::vector<std::string> faults_of(const Filter& filter) {
  std::vector<std::string> out;
  const std::vector<std::string> known{"tempfail", "accept", "reject"};
  if (!is_name(filter.name)) out.push_back(fmt::format("a filter needs a name of 1 to {} letters, digits, '-', '_' and '.'", kLongestName));
  if (auto fault = milter_fault(filter); !fault.empty()) out.push_back(std::move(fault));
  if (std::ranges::find(known, filter.on_failure) == known.end()) {
    out.push_back(fmt::format("filter '{}': on_failure must be tempfail, accept or reject, not '{}'{}", filter.name, filter.on_failure,
                              hint(filter.on_failure, known)));
  }
  return out;
}

void finish_filters(Draft& draft) {
  const Config& config = draft.config;
  const auto fault = [&](const std::string& text) { draft.faults.error(draft.places["filters"], "filters: " + text); };
  std::set<std::string> names;
  for (const auto& filter : config.filters) {
    if (!names.insert(filter.name).second) fault(fmt::format("there are two with the name '{}'", filter.name));
    if (filter.milter == "holdfast" && !config.content_filter.enabled) {
      fault(fmt::format("'{}': milter holdfast needs content_filter.enabled: true", filter.name));
    }
    for (const auto& domain : filter.domains) {
      if (!config.domains.contains(domain)) fault(fmt::format("'{}': there is no domain '{}'", filter.name, domain));
    }
    for (const auto& listener : filter.listeners) {
      if (std::ranges::none_of(config.listen, [&](const HostPort& l) { return l.text() == listener; })) {
        fault(fmt::format("'{}': '{}' is not in `listen`", filter.name, listener));
      }
    }
  }
}

}  // namespace holdfast::config
