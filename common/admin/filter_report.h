// What is known of filters and of whether they are asked, and how it is told. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::admin {

struct FilterLine {
  std::string name, milter, on_failure;
  std::vector<std::string> domains, listeners;  // empty: all
  std::optional<bool> failing;                  // as alertd has heard of smtpd; nothing: it does not answer, or ignores that
  std::string since, cause;                     // of the failure; since as ISO 8601
};

// A domain about whose mail the admin has said something, or whose mail is taken without asking just now.
struct BypassLine {
  std::string domain, destination;
  bool on = false;       // lists, greylisting and filters are passed over
  bool by_hand = false;  // else since the destination is down
  std::int64_t since_ms = 0, until_ms = 0;  // by hand; until 0: until it is said otherwise
  std::string by;
};

struct Filtering {
  std::vector<FilterLine> filters;
  std::vector<BypassLine> bypasses;
};

// What an admin must hear of, a sentence without its stop each: bypasses, those of the same cause together, and filters that
// fail. `domains`: how many there are of which somebody is asked.
std::vector<std::string> filter_warnings(const Filtering& filtering, std::size_t domains);

std::string filters_text(const Filtering& filtering, std::int64_t now_ms);
// {"filters": […], "bypass": […]}
std::string filtering_json(const Filtering& filtering);
// A line each, by "type": filter, bypass.
std::string filtering_lines(const Filtering& filtering);

}  // namespace holdfast::admin
