// The report by mail as webd and gatewayctl hand it in (decision 24): a subject and the body of a multipart/alternative.
// It goes by roads of its own, "report ADDRESS", which are mail. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "alertd/alert.h"
#include "common/base/error.h"
#include "common/base/time.h"
#include "common/config/config.h"

namespace holdfast::alertd {

inline constexpr std::string_view kReportRoad = "report ";
inline constexpr std::size_t kLongestReport = 512 << 10;

// Where reports go: alerts.report.to, or those of alerts.mail.to. None without a relay.
std::vector<std::string> report_roads(const config::Alerts& alerts);

// `words` of "report.send": which (empty, or the number of its moment), subject, boundary, body. It is checked as if an enemy
// had sent it: kUsage for anything but a line of printable ASCII, a plain boundary, and lines of 7 bits ended by CRLF.
base::Result<Notice> report_notice(const std::vector<std::string>& words, const std::string& host, std::int64_t now_ms);

// The moment in the first word; 0: made by hand.
std::uint64_t report_number(const std::vector<std::string>& words);

// How many are taken: kMost in any kWithin. Whoever owns webd must not fill the admin's mailbox.
class ReportPace {
 public:
  static constexpr std::size_t kMost = 20;
  static constexpr auto kWithin = base::Seconds(3600);

  bool take(base::Mono now);

 private:
  std::deque<base::Mono> taken_;
};

}  // namespace holdfast::alertd
