// gateway.yaml from what was found. Pure.
#pragma once

#include <map>
#include <string>

#include "import/found.h"

namespace holdfast::importer {

struct Written {
  std::string yaml;
  std::map<std::string, std::string> files;  // recipients by the name of their file, when they are to have files
};

// With a `recipients_folder`, the recipients of domains that have more than a few are named as files in it.
Written write_yaml(const Found& found, const std::string& recipients_folder);

}  // namespace holdfast::importer
