// Retry schedules with a name (design.md section 3, Retries).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"

namespace holdfast::config {

struct Preset {
  std::string_view name;
  std::string_view doc;
  std::vector<Phase> phases;
  int jitter = Destination{}.jitter;
  bool early_warning = true;
};

std::span<const Preset> presets();
const Preset* find_preset(std::string_view name);  // null: there is none

}  // namespace holdfast::config
