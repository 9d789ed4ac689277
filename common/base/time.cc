#include "common/base/time.h"

#include <array>
#include <ctime>

#include <fmt/core.h>

namespace holdfast::base {
namespace {

std::tm local(std::time_t t) {
  std::tm tm{};
  localtime_r(&t, &tm);
  return tm;
}

std::string format(const std::tm& tm, const char* pattern) {
  std::array<char, 64> out{};
  return {out.data(), std::strftime(out.data(), out.size(), pattern, &tm)};
}

std::time_t seconds(Wall t) { return std::chrono::floor<Seconds>(t).time_since_epoch().count(); }

}  // namespace

Wall wall_now() { return std::chrono::floor<Millis>(std::chrono::system_clock::now()); }

Mono mono_now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::steady_clock::now());
}

// Names of days and months are the RFC's, whatever the locale: no daemon calls setlocale().
std::string rfc5322_date(Wall t) { return format(local(seconds(t)), "%a, %d %b %Y %H:%M:%S %z"); }

std::string syslog_date(Wall t) { return format(local(seconds(t)), "%b %e %H:%M:%S"); }

std::string iso8601(Wall t) {
  const std::time_t s = seconds(t);
  std::tm tm{};
  gmtime_r(&s, &tm);
  return format(tm, "%Y-%m-%dT%H:%M:%SZ");
}

std::string spell(Seconds d) {
  const auto s = d.count();
  if (s >= 86400) return s % 86400 / 3600 ? fmt::format("{}d {}h", s / 86400, s % 86400 / 3600) : fmt::format("{}d", s / 86400);
  if (s >= 3600) return s % 3600 / 60 ? fmt::format("{}h {}m", s / 3600, s % 3600 / 60) : fmt::format("{}h", s / 3600);
  if (s >= 60) return s % 60 ? fmt::format("{}m {}s", s / 60, s % 60) : fmt::format("{}m", s / 60);
  return fmt::format("{}s", s);
}

}  // namespace holdfast::base
