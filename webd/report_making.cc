#include "webd/report_making.h"

#include <fmt/core.h>

#include "common/admin/report_times.h"
#include "common/base/log.h"

namespace holdfast::webd {
namespace {

constexpr base::Seconds kLogs{120};  // how long logs are read for it

}  // namespace

bool hand_in_report(admin::Gateway& gateway, bool weekly, std::int64_t due_s, const admin::HistoryReader& history) {
  const auto end = base::mono_now() + kLogs;
  const auto report = admin::look_for_report(gateway, weekly, admin::period_begin(weekly, due_s), due_s, history,
                                             [end] { return base::mono_now() < end; });
  const auto body = admin::report_body(report);
  const auto sent = gateway.ask("alertd", "report.send", {fmt::format("{}", due_s), admin::report_title(report), body.boundary, body.content});
  if (!sent) base::log().warning("the report waits: " + sent.error().text);
  return sent.has_value();
}

}  // namespace holdfast::webd
