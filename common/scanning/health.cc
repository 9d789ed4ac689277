#include "common/scanning/health.h"

#include <fmt/core.h>

#include "common/base/announce.h"
#include "common/base/log.h"

namespace holdfast::scanning {

void Health::note(const std::string& filter, const std::string& fault) {
  if (!fault.empty()) {
    base::log().warning(fmt::format("filter {}: {}", filter, fault));
    if (failing_.insert(filter).second) {
      base::announce(base::Level::kError, "filter_failing", {{"filter", filter}, {"reason", fault}});
    }
  } else if (failing_.erase(filter) > 0) {
    base::log().notice(fmt::format("filter {} works again", filter));
    base::announce(base::Level::kNotice, "filter_works", {{"filter", filter}});
  }
}

}  // namespace holdfast::scanning
