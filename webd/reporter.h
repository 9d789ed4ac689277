// When webd makes the report by mail: once for each moment of alerts.report, whatever was restarted in between; the last
// one is in state/web/report.json. Used on the loop alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/time.h"
#include "common/config/report.h"

namespace holdfast::webd {

class Reporter {
 public:
  static constexpr base::Seconds kAgain{60};  // after one that alertd did not take

  // A file that is missing or damaged knows of none.
  explicit Reporter(std::string file);

  // The moment of the report that is to be made now; then done() is to be called. Nothing while one is being made.
  std::optional<std::int64_t> due(const config::Report& report, std::int64_t now_s, base::Mono now);
  // `taken`: alertd has it on its disk.
  void done(std::int64_t due_s, bool taken, base::Mono now);

 private:
  void remember(std::int64_t last_s);

  const std::string file_;
  std::int64_t last_s_ = 0;  // 0: none, or they are off
  bool busy_ = false;
  base::Mono not_before_{};
};

}  // namespace holdfast::webd
