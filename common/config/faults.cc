#include "common/config/faults.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::config {
namespace {

void add(std::vector<std::string>& list, const Place& place, const std::string& text) {
  std::string line = fmt::format("{}: {}", place.text(), base::printable(text));
  if (std::ranges::find(list, line) == list.end()) list.push_back(std::move(line));
}

}  // namespace

std::string Place::text() const { return line > 0 ? fmt::format("{}:{}", file, line) : file; }

void Faults::error(const Place& place, std::string text) { add(errors_, place, text); }
void Faults::warning(const Place& place, std::string text) { add(warnings_, place, text); }

std::string Faults::text() const {
  std::string out;
  for (const auto& line : errors_) {
    if (!out.empty()) out += '\n';
    out += line;
  }
  return out;
}

}  // namespace holdfast::config
