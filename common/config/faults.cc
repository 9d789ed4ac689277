#include "common/config/faults.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::config {

std::string Place::text() const { return line > 0 ? fmt::format("{}:{}", file, line) : file; }

void Faults::List::add(const Place& place, const std::string& text) {
  if (lines.size() >= kMost) {
    ++more;
    return;
  }
  std::string line = fmt::format("{}: {}", place.text(), base::printable(text));
  if (std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
}

std::string Faults::List::rest() const { return more == 0 ? "" : fmt::format("and {} more", more); }

void Faults::error(const Place& place, std::string text) { errors_.add(place, text); }
void Faults::warning(const Place& place, std::string text) { warnings_.add(place, text); }

std::string Faults::text() const {
  std::string out;
  for (const auto& line : errors_.lines) {
    if (!out.empty()) out += '\n';
    out += line;
  }
  const std::string rest = errors_.rest();
  return rest.empty() ? out : out + "\n" + rest;
}

std::vector<std::string> Faults::take_warnings() {
  if (const auto rest = warnings_.rest(); !rest.empty()) warnings_.lines.push_back(rest);
  return std::move(warnings_.lines);
}

}  // namespace holdfast::config
