#include "common/admin/report_times.h"

#include <ctime>

namespace holdfast::admin {
namespace {

std::tm local(std::int64_t when_s) {
  const auto t = static_cast<std::time_t>(when_s);
  std::tm out{};
  ::localtime_r(&t, &out);
  return out;
}

// `days` before that day, so long after midnight by the clock on the wall.
std::int64_t on_day(std::tm day, int days, base::Seconds at) {
  day.tm_mday -= days;
  day.tm_hour = static_cast<int>(at.count() / 3600);
  day.tm_min = static_cast<int>(at.count() / 60 % 60);
  day.tm_sec = static_cast<int>(at.count() % 60);
  day.tm_isdst = -1;
  return static_cast<std::int64_t>(std::mktime(&day));
}

}  // namespace

std::int64_t last_due(bool weekly, base::Seconds at, std::int64_t now_s) {
  const std::tm today = local(now_s);
  const int back = weekly ? (today.tm_wday + 6) % 7 : 0;
  const auto due = on_day(today, back, at);
  return due <= now_s ? due : on_day(today, back + (weekly ? 7 : 1), at);
}

std::int64_t period_begin(bool weekly, std::int64_t end_s) {
  const std::tm end = local(end_s);
  return on_day(end, weekly ? 7 : 1, base::Seconds{end.tm_hour * 3600 + end.tm_min * 60 + end.tm_sec});
}

Due judge_due(std::int64_t last_s, std::int64_t due_s) {
  if (last_s == 0 || last_s > due_s) return Due::kBegin;
  return last_s == due_s ? Due::kNo : Due::kNow;
}

}  // namespace holdfast::admin
