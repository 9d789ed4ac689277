// The report by mail (decision 24): what passed, was refused, queued and bounced, daily or weekly. Plain data, rows of alert_settings().
#pragma once

#include <string>
#include <vector>

#include "common/base/time.h"

namespace holdfast::config {

struct Report {
  std::string every = "off";     // or daily, or weekly (on Mondays)
  base::Seconds at{6 * 3600};    // after midnight, in the gateway's own time
  std::vector<std::string> to;   // addresses; empty: those of alerts
};

}  // namespace holdfast::config
