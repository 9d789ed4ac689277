#include "common/config/report_road.h"

#include "common/base/text.h"

namespace holdfast::config {

std::string report_destination(const Config& config, std::string_view sender) {
  const auto at = sender.rfind('@');
  const auto* domain = at == sender.npos ? nullptr : config.find_domain(base::to_lower(sender.substr(at + 1)));
  return domain != nullptr ? domain->destination : std::string(kBounces);
}

}  // namespace holdfast::config
