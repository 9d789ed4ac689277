// Which of Exim's routers takes a domain's mail, and where to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "import/exim_lists.h"
#include "import/exim_text.h"
#include "import/found.h"

namespace holdfast::importer {

struct EximRoute {
  std::optional<Target> target;
  std::string why_not;               // without a target
  std::vector<std::string> checks;
  std::vector<std::string> notes;    // of routers that may take some of the mail, and could not be judged
};

EximRoute find_exim_route(const EximFile& file, const EximLists& lists, const std::string& domain);

}  // namespace holdfast::importer
