#include "common/admin/alert_report.h"

#include <fmt/core.h>

#include "common/admin/table.h"
#include "common/admin/text_json.h"
#include "common/base/text.h"

namespace holdfast::admin {
namespace {

const json& part(const json& object, const char* name) {
  static const json none = json::array();
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : none;
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::uint64_t number_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string state_text(const json& alert) {
  std::string out = text_of(alert, "state");
  if (!text_of(alert, "acknowledged_by").empty()) out += fmt::format(", acknowledged by {}", text_of(alert, "acknowledged_by"));
  if (alert.value("silenced", false)) out += ", silenced";
  return out;
}

void add_alerts(const json& told, std::string& out) {
  Table table({">ID", "KIND", "STATE", "SINCE", ">TIMES", "WHAT"});
  for (const auto& a : part(told, "alerts")) {
    table.add({fmt::format("{}", number_of(a, "id")), text_of(a, "kind"), state_text(a), text_of(a, "since"),
               fmt::format("{}", number_of(a, "count")), text_of(a, "title") + (text_of(a, "cause").empty() ? "" : ": " + text_of(a, "cause"))});
  }
  out += table.empty() ? "No alert is open.\n" : table.take();
}

std::string road_state(const json& road) {
  const auto ok = road.find("ok");
  if (ok == road.end() || !ok->is_boolean()) return "not used yet";
  return ok->get<bool>() ? "good" : "FAILS";
}

void add_roads(const json& told, std::string& out) {
  Table table({"ROAD", "STATE", ">WAITING", "LAST SENT", "LAST ANSWER"});
  for (const auto& r : part(told, "roads")) {
    table.add({text_of(r, "road"), road_state(r), fmt::format("{}", number_of(r, "waiting")), text_of(r, "last_sent"), text_of(r, "said")});
  }
  out += table.empty() ? "\nNo road is configured: nobody is told.\n" : "\n" + table.take();
}

void add_silences(const json& told, std::string& out) {
  Table table({"SILENCED", "UNTIL", "BY"});
  for (const auto& s : part(told, "silences")) table.add({text_of(s, "what"), text_of(s, "until"), text_of(s, "by")});
  if (!table.empty()) out += "\n" + table.take();
}

std::optional<json> object_of(const std::string& answer) {
  auto told = json::parse(answer, nullptr, false);
  if (!told.is_object()) return std::nullopt;
  return told;
}

}  // namespace

std::optional<std::string> alerts_text(const std::string& answer) {
  const auto told = object_of(answer);
  if (!told) return std::nullopt;
  std::string out;
  add_alerts(*told, out);
  add_roads(*told, out);
  add_silences(*told, out);
  return out;
}

std::optional<std::string> alerts_lines(const std::string& answer) {
  const auto told = object_of(answer);
  if (!told) return std::nullopt;
  std::string out;
  const auto add = [&](const char* list, const char* type) {
    for (auto item : part(*told, list)) {
      item["type"] = type;
      out += dump_line(item);
    }
  };
  add("alerts", "alert");
  add("roads", "road");
  add("silences", "silence");
  return out;
}

std::optional<std::vector<AlertLine>> open_alerts_in(const std::string& answer) {
  const auto told = object_of(answer);
  if (!told) return std::nullopt;
  std::vector<AlertLine> out;
  for (const auto& a : part(*told, "alerts")) {
    if (text_of(a, "state") == "closed") continue;
    out.push_back({.id = number_of(a, "id"), .title = text_of(a, "title"), .severity = text_of(a, "severity"),
                   .since = text_of(a, "since"), .acknowledged = !text_of(a, "acknowledged_by").empty(), .kind = text_of(a, "kind"), .subject = text_of(a, "subject"),
                   .cause = text_of(a, "cause")});
  }
  return out;
}

std::optional<TestReport> test_report(const std::string& answer) {
  const auto told = object_of(answer);
  if (!told) return std::nullopt;
  TestReport out;
  Table table({"ROAD", "", "ANSWER"});
  for (const auto& r : part(*told, "roads")) {
    const bool ok = r.value("ok", false);
    out.good = out.good && ok;
    out.lines += dump_line(r);
    table.add({text_of(r, "road"), ok ? "good" : "FAILS", text_of(r, "said")});
  }
  out.text = table.take();
  return out;
}

}  // namespace holdfast::admin
