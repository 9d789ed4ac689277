// What alertd answers, for people. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/admin/status_report.h"

namespace holdfast::admin {

// The answer to alert.list. Nothing: it cannot be understood.
std::optional<std::string> alerts_text(const std::string& answer);
// One object a line: {"alert": …}, {"road": …}, {"silence": …} by "type".
std::optional<std::string> alerts_lines(const std::string& answer);
std::optional<std::vector<AlertLine>> open_alerts_in(const std::string& answer);

// The answer to alert.test, and whether all roads are good.
struct TestReport {
  std::string text, lines;
  bool good = true;
};
std::optional<TestReport> test_report(const std::string& answer);

}  // namespace holdfast::admin
