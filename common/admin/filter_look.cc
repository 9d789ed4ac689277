#include "common/admin/filter_look.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/admin/alert_report.h"
#include "common/base/text.h"
#include "common/config/bypass.h"
#include "common/config/values.h"

namespace holdfast::admin {
namespace {

constexpr base::Seconds kQuick{2};
constexpr std::string_view kFailing = "filter_failing";

std::optional<bool> by_hand(storage::HandWord word) {
  if (word == storage::HandWord::kAuto) return std::nullopt;
  return word == storage::HandWord::kBypass;
}

bool is_down(const config::Destination& destination, const std::optional<storage::DestinationRow>& row, std::int64_t now_ms) {
  const auto interval = std::chrono::duration_cast<base::Millis>(destination.probe.interval).count();
  return row && storage::effective_state(*row, now_ms, interval) == mail::DestinationState::kDown;
}

}  // namespace

std::vector<FilterLine> filter_lines(const config::Config& config, const std::optional<std::vector<AlertLine>>& alerts) {
  std::vector<FilterLine> out;
  const auto& ignored = config.alerts.ignore;
  const bool told = alerts && std::ranges::find(ignored, kFailing) == ignored.end();
  for (const auto& f : config.filters) {
    FilterLine line{.name = f.name, .milter = f.milter, .on_failure = f.on_failure, .domains = f.domains, .listeners = f.listeners, .failing = {}, .since = {}, .cause = {}};
    if (told) {
      const auto alert = std::ranges::find_if(*alerts, [&](const AlertLine& a) { return a.kind == kFailing && a.subject == f.name; });
      line.failing = alert != alerts->end();
      if (*line.failing) line.since = alert->since, line.cause = alert->cause;
    }
    out.push_back(std::move(line));
  }
  return out;
}

std::optional<BypassLine> bypass_line(const config::Config& config, const config::Domain& domain, const std::optional<storage::DomainRow>& row,
                                      bool down, std::int64_t now_ms) {
  if (!config::asks_anybody(config, domain)) return std::nullopt;
  const auto hand = row ? row->filtering : storage::FilteringByHand{};
  const auto said = by_hand(hand.at(now_ms));
  const bool on = config::bypasses(config, domain, down, said);
  if (!said && !on) return std::nullopt;
  BypassLine out{.domain = domain.name, .destination = domain.destination, .on = on, .by_hand = said.has_value(), .by = {}};
  if (said) {
    out.since_ms = hand.since_ms;
    out.until_ms = hand.until_ms;
    out.by = hand.by;
  }
  return out;
}

Filtering look_at_filters(Gateway& gateway) {
  Filtering out;
  const auto& config = gateway.config();
  const auto now_ms = base::to_millis(base::wall_now());
  const auto told = gateway.ask("alertd", "alert.list", {}, kQuick);
  out.filters = filter_lines(config, told ? open_alerts_in(*told) : std::nullopt);
  for (const auto& [name, domain] : config.domains) {
    const auto* destination = config.find_destination(domain.destination);
    const bool down = destination != nullptr && is_down(*destination, gateway.directory().destination(destination->name), now_ms);
    if (auto line = bypass_line(config, domain, gateway.directory().domain(name), down, now_ms)) out.bypasses.push_back(std::move(*line));
  }
  return out;
}

std::size_t filtered_domains(const config::Config& config) {
  return static_cast<std::size_t>(std::ranges::count_if(config.domains, [&](const auto& d) { return config::asks_anybody(config, d.second); }));
}

base::Result<std::vector<std::string>> bypass_words(const config::Config& config, const std::string& word, const std::string& length,
                                                    const std::string& destination, const std::string& domain) {
  using base::fail;
  using base::Kind;
  if (!storage::parse_hand_word(word)) return fail(Kind::kUsage, fmt::format("'{}' is not on, off or auto", base::printable(word)));
  std::vector<std::string> out{word, ""};
  if (!length.empty()) {
    if (word == "auto") return fail(Kind::kUsage, "auto has no end");
    const auto parsed = config::parse_duration(length);
    if (!parsed) return fail(Kind::kUsage, "for: " + parsed.error().text);
    if (parsed->count() == 0) return fail(Kind::kUsage, "for: must be more than 0");
    out[1] = fmt::format("{}", parsed->count());
  }
  if (!destination.empty() && !domain.empty()) return fail(Kind::kUsage, "give a destination or a domain, not both");
  if (!destination.empty() && config.find_destination(destination) == nullptr) {
    return fail(Kind::kNotFound, fmt::format("there is no destination '{}'", base::printable(destination)));
  }
  const auto* only = domain.empty() ? nullptr : config.find_domain(domain);
  if (!domain.empty() && only == nullptr) return fail(Kind::kNotFound, fmt::format("'{}' is no domain of ours", base::printable(domain)));
  for (const auto& [name, each] : config.domains) {
    if ((only == nullptr || only == &each) && (destination.empty() || each.destination == destination)) out.push_back(name);
  }
  if (out.size() == 2) return fail(Kind::kNotFound, "no domain is meant by that");
  return out;
}

}  // namespace holdfast::admin
