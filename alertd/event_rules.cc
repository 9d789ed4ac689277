#include "alertd/event_rules.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/core.h>

namespace holdfast::alertd {
namespace {

struct Rule {
  std::string_view event, kind;
  bool raised = true;
  std::string_view subject;  // the fact that holds it; "sender": who told; empty: none
};

constexpr Rule kRules[] = {
    {"drain_stopped", "drain_stopped", true, "destination"},
    {"spool_reserve_reached", "spool_reserve", true, ""},
    {"spool_reserve_free", "spool_reserve", false, ""},
    {"spool_fails", "spool_fails", true, "sender"},
    {"spool_works", "spool_fails", false, "sender"},
    {"index_fails", "index_fails", true, ""},
    {"index_works", "index_fails", false, ""},
    {"spool_damage", "spool_damage", true, ""},
    {"quota_reached", "quota_reached", true, "domain"},
    {"quota_free", "quota_reached", false, "domain"},
    {"frozen", "frozen", true, "destination"},
    {"held", "held", true, "destination"},
    {"daemon_died", "daemon_died", true, "daemon"},
    {"possible_duplicate", "possible_duplicate", true, "destination"},
    {"filter_failing", "filter_failing", true, "filter"},
    {"filter_works", "filter_failing", false, "filter"},
    {"clock_jump", "clock_jump", true, ""},
};

}  // namespace

std::optional<EventEffect> effect_of(const ipc::Event& event, const std::string& sender) {
  const auto rule = std::ranges::find(kRules, event.name, &Rule::event);
  if (rule == std::end(kRules)) return std::nullopt;
  EventEffect out{.kind = std::string(rule->kind), .subject = {}, .cause = {}, .raised = rule->raised};
  if (rule->subject == "sender") out.subject = sender;
  for (const auto& [key, value] : event.facts) {
    if (key == rule->subject) {
      out.subject = value.substr(0, 255);
    } else {
      out.cause += fmt::format("{}{}: {}", out.cause.empty() ? "" : ", ", key, value);
    }
  }
  return out;
}

}  // namespace holdfast::alertd
