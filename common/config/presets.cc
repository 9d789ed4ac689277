#include "common/config/presets.h"

#include <algorithm>

namespace holdfast::config {
namespace {

constexpr Seconds minutes(int n) { return Seconds{n * 60}; }
constexpr Seconds hours(int n) { return Seconds{n * 3600}; }
constexpr Seconds days(int n) { return Seconds{n * 86400}; }

Phase every(Seconds wait, Seconds until) { return {.until = until, .every = wait}; }
Phase growing(Seconds start, double factor, Seconds until) {
  return {.until = until, .start = start, .factor = factor};
}

}  // namespace

std::span<const Preset> presets() {
  static const std::vector<Preset> table{
      {"default", "every 15 minutes for 2 hours, then from 15 minutes growing by half until 16 hours, then every 6 hours "
                  "until 4 days",
       {every(minutes(15), hours(2)), growing(minutes(15), 1.5, hours(16)), every(hours(6), days(4))}},
      {"exim", "Exim's well-known rule: every 15 minutes for 2 hours, then from 1 hour growing by half until 16 hours, "
               "then every 6 hours until 4 days",
       {every(minutes(15), hours(2)), growing(Seconds{3600}, 1.5, hours(16)), every(hours(6), days(4))}},
      {"short", "from 5 minutes growing by half until 12 hours, then every 4 hours until 36 hours, each wait a quarter "
                "longer or shorter at random; no early warning",
       {growing(minutes(5), 1.5, hours(12)), every(hours(4), hours(36))}, 25, false},
      {"week", "as default, but until 7 days",
       {every(minutes(15), hours(2)), growing(minutes(15), 1.5, hours(16)), every(hours(6), days(7))}},
  };
  return table;
}

const Preset* find_preset(std::string_view name) {
  const auto all = presets();
  const auto found = std::ranges::find(all, name, &Preset::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace holdfast::config
