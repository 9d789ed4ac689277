// The report of the time until now, as `gatewayctl report` prints it.
#include "common/admin/report_json.h"
#include "common/admin/report_look.h"
#include "common/admin/report_times.h"
#include "webd/answers.h"
#include "webd/body.h"

namespace holdfast::webd {
namespace {

constexpr base::Seconds kLogs{20};  // how long logs are read for it: somebody waits

}  // namespace

Response answer_report(Call& call) {
  const std::string period = call.request.parameter("period");
  if (!period.empty() && period != "daily" && period != "weekly") {
    return failure({base::Kind::kUsage, "'period' is daily or weekly"});
  }
  const bool weekly = period == "weekly";
  const auto now_s = base::to_millis(base::wall_now()) / 1000;
  const auto end = base::mono_now() + kLogs;
  const auto begin_s = admin::period_begin(weekly, now_s);
  const auto report = admin::look_for_report(*call.gateway, weekly, begin_s, now_s, call.house.read_history,
                                             [end] { return base::mono_now() < end; });
  return answer_text(admin::report_json(report));
}

}  // namespace holdfast::webd
