// When the report by mail is due, and of what time it tells (decision 24). Seconds since 1970; days are those of the
// gateway's own time zone, so that one of them may have 23 or 25 hours. Pure, but for the time zone.
#pragma once

#include <cstdint>

#include "common/base/time.h"

namespace holdfast::admin {

// The last moment at or before `now_s` that a report is due at: every day, or Monday, so long after midnight.
std::int64_t last_due(bool weekly, base::Seconds at, std::int64_t now_s);
// A day or seven before, by the calendar.
std::int64_t period_begin(bool weekly, std::int64_t end_s);

// Nothing is told of the time before the first look, and of several that were missed only the last one is made.
enum class Due { kNo, kNow, kBegin };
// `last_s`: the moment of the last one, 0 for none. kBegin: `due_s` is to be remembered, and nothing to be sent, since
// reports have just been switched on or the clock was put back.
Due judge_due(std::int64_t last_s, std::int64_t due_s);

}  // namespace holdfast::admin
