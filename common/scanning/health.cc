#include "common/scanning/health.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/announce.h"
#include "common/base/log.h"

namespace holdfast::scanning {

void Health::note(const std::string& filter, const std::string& fault, base::Mono now) {
  if (fault.empty()) {
    if (failing_.erase(filter) == 0) return;
    base::log().notice(fmt::format("filter {} works again", filter));
    return base::announce(base::Level::kNotice, "filter_works", {{"filter", filter}});
  }
  base::log().warning(fmt::format("filter {}: {}", filter, fault));
  auto& failing = failing_[filter];
  if (++failing.in_row == 1) base::announce(base::Level::kError, "filter_failing", {{"filter", filter}, {"reason", fault}});
  if (failing.in_row >= kFailures) failing.until = now + kPause;
}

std::string Health::left_alone(const std::string& filter, base::Mono now) {
  const auto at = failing_.find(filter);
  if (at == failing_.end() || at->second.in_row < kFailures) return {};
  if (now >= at->second.until) {
    at->second.until = now + kPause;
    return {};
  }
  auto why = fmt::format("failed {} times in a row, and is left alone", at->second.in_row);
  base::log().warning(fmt::format("filter {}: {}", filter, why));
  return why;
}

void Health::reload(const config::Config& config) {
  std::erase_if(failing_, [&](const auto& one) {
    return std::ranges::none_of(config.filters, [&](const auto& filter) { return filter.name == one.first; });
  });
}

}  // namespace holdfast::scanning
