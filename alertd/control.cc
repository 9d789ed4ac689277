#include "alertd/control.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/config/alert_kinds.h"

namespace holdfast::alertd {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLongestSilence = 366ULL * 86400;

std::string dump(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

ipc::ControlReply refuse(base::Kind kind, std::string text) {
  return {.exit = base::exit_code(kind), .json = {}, .text = std::move(text)};
}

ipc::ControlReply changed_text(std::size_t count) { return {.exit = 0, .json = dump({{"changed", count}}), .text = {}}; }

json time_json(std::int64_t ms) { return ms == 0 ? json() : json(base::iso8601(base::from_millis(ms))); }

json alert_json(const AlertBook& book, const Alert& alert, std::int64_t now_ms) {
  const auto* kind = config::find_alert_kind(alert.kind);
  return {{"id", alert.id},
          {"kind", alert.kind},
          {"subject", alert.subject},
          {"title", config::about(kind->title, alert.subject)},
          {"severity", config::to_text(kind->severity)},
          {"state", alert.flapping ? "flapping" : alert.open() ? "open" : "closed"},
          {"lasting", kind->lasting},
          {"since", time_json(alert.opened_ms)},
          {"closed", time_json(alert.closed_ms)},
          {"told", time_json(alert.told_ms)},
          {"count", alert.count},
          {"cause", alert.cause},
          {"acknowledged_by", alert.acknowledged_ms == 0 ? json() : json(alert.acknowledged_by)},
          {"silenced", book.silenced(alert, now_ms)}};
}

// A kind, KIND:SUBJECT, or a subject that we could hear of.
bool means_something(const std::string& what, const config::Config& config, const AlertBook& book) {
  const auto colon = what.find(':');
  if (config::find_alert_kind(what.substr(0, colon)) != nullptr) return true;
  if (config.destinations.contains(what) || config.find_domain(what) != nullptr) return true;
  for (const auto& [id, alert] : book.alerts()) {
    if (alert.subject == what) return true;
  }
  return false;
}

}  // namespace

ipc::ControlReply ControlDesk::answer(const ipc::Control& question, const config::Config& config, const std::vector<std::string>& roads,
                                      std::int64_t now_ms, bool& changed) {
  if (question.command == "alert.list") return list(roads, now_ms);
  base::log().notice(base::printable(fmt::format("{} {} by {}", question.command, question.words.empty() ? "" : question.words.front(),
                                                 question.user)));
  if (question.command == "alert.ack") return acknowledge(question, now_ms, changed);
  if (question.command == "alert.silence") return silence(question, config, now_ms, changed);
  if (question.command == "alert.unsilence") return unsilence(question, changed);
  return refuse(base::Kind::kUsage, "alertd knows no command '" + question.command + "'");
}

ipc::ControlReply ControlDesk::list(const std::vector<std::string>& roads, std::int64_t now_ms) const {
  json out{{"alerts", json::array()}, {"roads", json::array()}, {"silences", json::array()}};
  for (const auto& [id, alert] : book_.alerts()) out["alerts"].push_back(alert_json(book_, alert, now_ms));
  for (const auto& road : roads) {
    const auto found = states_.find(road);
    const RoadState state = found == states_.end() ? RoadState{} : found->second;
    out["roads"].push_back({{"road", road},
                            {"ok", state.ok_ms == 0 && state.failed_ms == 0 ? json() : json(state.ok_ms > state.failed_ms)},
                            {"last_sent", time_json(state.ok_ms)},
                            {"last_failed", time_json(state.failed_ms)},
                            {"said", state.said},
                            {"waiting", outbox_.waiting(road)}});
  }
  for (const auto& [what, silence] : book_.silences()) {
    out["silences"].push_back({{"what", what}, {"until", time_json(silence.until_ms)}, {"by", silence.by}});
  }
  return {.exit = 0, .json = dump(out), .text = {}};
}

ipc::ControlReply ControlDesk::acknowledge(const ipc::Control& question, std::int64_t now_ms, bool& changed) {
  if (question.words.empty()) return refuse(base::Kind::kUsage, "alert.ack needs the number of an alert");
  const auto id = base::to_number(question.words.front());
  if (!id || !book_.acknowledge(*id, base::printable(question.user), now_ms)) {
    return refuse(base::Kind::kNotFound, fmt::format("there is no open alert {}", base::printable(question.words.front())));
  }
  changed = true;
  return changed_text(1);
}

ipc::ControlReply ControlDesk::silence(const ipc::Control& question, const config::Config& config, std::int64_t now_ms, bool& changed) {
  if (question.words.size() != 2) return refuse(base::Kind::kUsage, "alert.silence needs what, and for how many seconds");
  const std::string& what = question.words.front();
  const auto seconds = base::to_number(question.words.back());
  if (!seconds || *seconds == 0 || *seconds > kLongestSilence) return refuse(base::Kind::kUsage, "the time must be a year at most");
  if (what.size() > 400 || !means_something(what, config, book_)) {
    return refuse(base::Kind::kNotFound, fmt::format("'{}' is no kind of alert, and nothing that one could be about", base::printable(what)));
  }
  book_.silence({.what = what, .until_ms = now_ms + static_cast<std::int64_t>(*seconds) * 1000, .by = base::printable(question.user)});
  changed = true;
  return changed_text(1);
}

ipc::ControlReply ControlDesk::unsilence(const ipc::Control& question, bool& changed) {
  if (question.words.empty() || !book_.unsilence(question.words.front())) {
    return refuse(base::Kind::kNotFound, "that is not silenced");
  }
  changed = true;
  return changed_text(1);
}

ipc::ControlReply ControlDesk::tested(const std::vector<Test>& tests) {
  json roads = json::array();
  for (const auto& test : tests) roads.push_back({{"road", test.road}, {"ok", test.ok}, {"said", test.said}});
  return {.exit = 0, .json = dump({{"roads", std::move(roads)}}), .text = {}};
}

}  // namespace holdfast::alertd
