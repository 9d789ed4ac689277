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
// A command that is no daemon and no part of gatewayctl. Its options are told here again (tests/packaging/test_pages.py
// compares them with the program's own).
struct ToolPage {
  std::string_view name;
  std::string_view summary;
  std::string_view synopsis;  // Markdown, as `text`
  std::string_view text;
};
std::span<const ToolPage> tool_pages();

}  // namespace holdfast::gatewayctl
