// Two clocks, never mixed. Wall: ages, expiry, what is stored and shown. Mono: intervals and time-outs.
// Pure code takes them as arguments; only adapters (daemons, net) call the now() functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace holdfast::base {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;
using Wall = std::chrono::sys_time<Millis>;
using Mono = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

Wall wall_now();
Mono mono_now();

inline std::int64_t to_millis(Wall t) { return t.time_since_epoch().count(); }
inline Wall from_millis(std::int64_t ms) { return Wall{Millis{ms}}; }

// "Sun, 22 Nov 2026 10:00:00 +0000" (RFC 5322, section 3.3), in local time with its offset.
std::string rfc5322_date(Wall t);
// "Nov 22 10:00:00", local time, as syslog and Postfix write it.
std::string syslog_date(Wall t);
// "2026-11-22T10:00:00Z".
std::string iso8601(Wall t);
// "3m", "2h 5m", "4d 1h": for people; "0s" for nothing.
std::string spell(Seconds d);

}  // namespace holdfast::base
