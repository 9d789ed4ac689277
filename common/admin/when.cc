#include "common/admin/when.h"

#include <ctime>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::admin {
namespace {

// What strptime() leaves over must be nothing.
std::optional<std::tm> read(const std::string& text, const char* format) {
  std::tm out{};
  const char* end = ::strptime(text.c_str(), format, &out);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return out;
}

std::optional<std::tm> read_any(const std::string& text) {
  for (const char* format :
       {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    if (auto out = read(text, format)) return out;
  }
  return std::nullopt;
}

}  // namespace

base::Result<std::int64_t> parse_when(std::string_view text) {
  const auto wrong = [&] {
    return base::fail(base::Kind::kUsage,
                      fmt::format("'{}' is not a time: 2026-11-25T10:00 is one", base::printable(text)));
  };
  std::string plain(text);
  const bool utc = plain.ends_with('Z');
  if (utc) plain.pop_back();
  const auto parts = read_any(plain);
  if (!parts) return wrong();
  std::tm given = *parts;
  given.tm_isdst = -1;
  const std::time_t seconds = utc ? ::timegm(&given) : ::mktime(&given);
  // Feb 30 would become Mar 2.
  if (seconds <= 0 || given.tm_mday != parts->tm_mday) return wrong();
  return static_cast<std::int64_t>(seconds);
}

}  // namespace holdfast::admin
