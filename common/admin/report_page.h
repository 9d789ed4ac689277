// What the report's text and its page share, and the pictures. Pure, but for the time zone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/admin/mail_report.h"
#include "common/admin/picture.h"

namespace holdfast::admin {

std::string report_number(double n);              // "1,204"
std::string report_moment(std::int64_t when_s);   // "Mon 23 Nov 06:00", local time
// "office: down 2h 5m, from Mon 23 Nov 06:00 to Mon 23 Nov 08:05: connection refused".
std::string outage_line(const Outage& outage);
// The most that waited, of the means of its steps and of what waits now.
std::optional<double> most_waiting(const MailReport& report);

// An hour of a day, or a day of a week.
struct ReportRow {
  std::string name;
  ReportStep sum;
};
std::vector<ReportRow> report_rows(const MailReport& report);

// Messages a minute; messages that wait; when a destination was down. 640 dots wide.
Picture rates_picture(const MailReport& report);
Picture waiting_picture(const MailReport& report);
Picture outages_picture(const MailReport& report, const std::string& destination);

}  // namespace holdfast::admin
