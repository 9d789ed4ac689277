// What a manual page says of each daemon, besides what the table of rights says (common/sandbox/rights.h). Plain data.
#pragma once

#include <span>
#include <string_view>

namespace holdfast::gatewayctl {

struct DaemonPage {
  std::string_view name;
  std::string_view summary;
  std::string_view text;  // Markdown
};

// master first.
std::span<const DaemonPage> daemon_pages();

}  // namespace holdfast::gatewayctl
