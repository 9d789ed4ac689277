// Every kind of alert, declared once: alertd raises them by this table, `alerts.ignore` and gatewayctl check names
// against it, and docs/alerts.md is made from it (`gatewayctl alert reference`). Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace holdfast::config {

enum class Severity { kWarning, kCritical };
std::string_view to_text(Severity severity);  // "warning", "critical"

struct AlertKind {
  std::string_view name;
  Severity severity = Severity::kWarning;
  // Lasting ones are open until an all-clear; the others happen at a moment, and several of them are one alert.
  bool lasting = true;
  std::string_view subject;    // what each is about: "destination"; empty: the gateway as a whole
  std::string_view title;      // "{} is down": {} is the subject
  std::string_view all_clear;  // "{} is up again"; of lasting ones
  std::string_view raised;     // for the reference: when it is raised
  std::string_view cleared;    // and when it ends
  std::string_view cause;      // what it means, for the admin who reads it at night; whole sentences
  std::string_view advice;     // what to do; a whole sentence or two, {} is the subject
};

std::span<const AlertKind> alert_kinds();
const AlertKind* find_alert_kind(std::string_view name);

// `words` with the subject in place of each {}.
std::string about(std::string_view words, std::string_view subject);

// docs/alerts.md.
std::string alert_reference();

}  // namespace holdfast::config
