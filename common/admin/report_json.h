// The report as JSON, for programs and for webd's page. Pure, but for the time zone of the rows' names.
#pragma once

#include <string>

#include "common/admin/mail_report.h"

namespace holdfast::admin {

// One object and its newline. Times are ISO 8601; `totals` is null where there is no history of that time; `text` is the
// report as gatewayctl prints it. Reasons and addresses are a stranger's words: no markup, to be shown as text only.
std::string report_json(const MailReport& report);

}  // namespace holdfast::admin
