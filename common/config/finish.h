// The second half of loading: defaults that are worked out, and checks that need more than one value.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/config/faults.h"
#include "common/config/web.h"

namespace holdfast::config {

// A configuration whose values are read, and where each of them stands.
struct Draft {
  Config config;
  Web web;
  Faults faults;
  std::map<std::string, Place> places;                    // by full name, owners too: "destinations.office"
  std::map<std::string, std::vector<Place>> item_places;  // of lists of recipients
};

void finish(Draft& draft);
// The settings of webd (web.h), and the files that these name.
void finish_web(Draft& draft);
void check_web_files(Draft& draft);

// Folders that were not given: those of `base`, or the system's.
void fill_paths(Paths& paths);

}  // namespace holdfast::config
