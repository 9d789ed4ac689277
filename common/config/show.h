// Configurations written out again, and compared.
#pragma once

#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/config/settings.h"

namespace holdfast::config {

// kAll: every setting. kChanged: those that differ from their default. kSelfContained: every setting, and
// lists that came from files written out.
enum class Style { kAll, kChanged, kSelfContained };

// The configuration as one YAML file; load_text() of it gives an equal Config.
std::string show(const Config& config, Style style = Style::kAll);

// Every setting with its full name ("destinations.office.retry") and its value as YAML text.
struct Shown {
  std::string name;
  std::string value;
  bool is_default = false;
};
std::vector<Shown> list(const Config& config);

struct Change {
  std::string name;            // "destinations.office.max_connections"
  std::string before, after;   // empty: not there
  Reload reload = Reload::kLive;
};
// What a reload from `before` to `after` would change, ordered by name.
std::vector<Change> difference(const Config& before, const Config& after);

// docs/settings.md.
std::string reference();
// The same without its title, for gateway.yaml(5).
std::string reference_body();

}  // namespace holdfast::config
