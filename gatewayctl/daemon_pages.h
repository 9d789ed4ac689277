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
// Of holdfast-import, which is no daemon: its options are told here again (tests/packaging/test_pages.py compares).
const DaemonPage& import_page();

}  // namespace holdfast::gatewayctl
