#include "common/admin/filter_report.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "common/admin/table.h"
#include "common/admin/text_json.h"
#include "common/base/text.h"

namespace holdfast::admin {
namespace {

std::string listed(const std::vector<std::string>& names, std::string_view all) {
  return names.empty() ? std::string(all) : fmt::format("{}", fmt::join(names, " "));
}

// Without "in 5m": what changes by itself would be news each minute.
std::string end_text(std::int64_t until_ms) {
  return until_ms == 0 ? "until it is ended" : "until " + base::iso8601(base::from_millis(until_ms));
}

auto cause_of(const BypassLine& line) {
  return std::tuple(line.by_hand, line.on, line.until_ms, line.by, line.by_hand ? std::string() : line.destination);
}

std::string bypass_sentence(const BypassLine& line, std::vector<std::string> names, std::size_t domains) {
  constexpr std::size_t kShown = 3;
  std::string whose = "all domains";
  if (names.size() < domains) {
    const auto more = names.size() > kShown ? names.size() - kShown : 0;
    names.resize(names.size() - more);
    whose = fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
  }
  if (!line.by_hand) return fmt::format("filters are bypassed for mail of {} while {} is down", whose, line.destination);
  const std::string by = line.by.empty() ? "hand" : line.by;
  if (line.on) return fmt::format("filters are BYPASSED BY HAND for mail of {}, {} (by {})", whose, end_text(line.until_ms), by);
  return fmt::format("filters are asked about mail of {} even in an outage, {} (by {})", whose, end_text(line.until_ms), by);
}

json line_json(const FilterLine& f) {
  return {{"name", f.name},
          {"milter", f.milter},
          {"domains", f.domains},
          {"listeners", f.listeners},
          {"on_failure", f.on_failure},
          {"failing", optional_json(f.failing)},
          {"since", f.since.empty() ? json() : json(f.since)},
          {"reason", f.cause}};
}

json line_json(const BypassLine& b) {
  return {{"domain", b.domain},   {"destination", b.destination},    {"on", b.on}, {"by_hand", b.by_hand},
          {"since", time_json(b.since_ms)}, {"until", time_json(b.until_ms)}, {"by", b.by}};
}

}  // namespace

std::vector<std::string> filter_warnings(const Filtering& filtering, std::size_t domains) {
  std::vector<std::string> out;
  auto lines = filtering.bypasses;
  std::ranges::stable_sort(lines, std::greater<>(), cause_of);
  for (auto at = lines.begin(); at != lines.end();) {
    const auto end = std::find_if(at, lines.end(), [&](const BypassLine& b) { return cause_of(b) != cause_of(*at); });
    std::vector<std::string> names;
    for (auto one = at; one != end; ++one) names.push_back(one->domain);
    out.push_back(bypass_sentence(*at, std::move(names), domains));
    at = end;
  }
  for (const auto& f : filtering.filters) {
    if (f.failing == true) out.push_back(fmt::format("the filter {} FAILS since {}{}", f.name, f.since, f.cause.empty() ? "" : ": " + f.cause));
  }
  return out;
}

std::string filters_text(const Filtering& filtering, std::int64_t now_ms) {
  Table table({"FILTER", "STATE", "SINCE", "ON FAILURE", "MILTER", "DOMAINS", "REASON"});
  for (const auto& f : filtering.filters) {
    const std::string state = !f.failing ? "" : *f.failing ? "FAILING" : "no failure known";
    table.add({f.name, state, f.since, f.on_failure, f.milter, listed(f.domains, "all"), f.cause});
  }
  std::string out = table.empty() ? "No filter is configured.\n" : table.take();
  Table bypasses({"DOMAIN", "FILTERS ARE", "BECAUSE", "UNTIL"});
  for (const auto& b : filtering.bypasses) {
    bypasses.add({b.domain, b.on ? "BYPASSED" : "asked in any case", b.by_hand ? "by hand: " + b.by : b.destination + " is down",
                  !b.by_hand ? "it is back" : b.until_ms == 0 ? "it is ended" : dated_text(b.until_ms, now_ms)});
  }
  if (!bypasses.empty()) out += "\n" + bypasses.take();
  return out;
}

std::string filtering_json(const Filtering& filtering) {
  json out{{"filters", json::array()}, {"bypass", json::array()}};
  for (const auto& f : filtering.filters) out["filters"].push_back(line_json(f));
  for (const auto& b : filtering.bypasses) out["bypass"].push_back(line_json(b));
  return dump(out);
}

std::string filtering_lines(const Filtering& filtering) {
  std::string out;
  const auto add = [&](json object, const char* type) {
    object["type"] = type;
    out += dump_line(object);
  };
  for (const auto& f : filtering.filters) add(line_json(f), "filter");
  for (const auto& b : filtering.bypasses) add(line_json(b), "bypass");
  return out;
}

}  // namespace holdfast::admin
