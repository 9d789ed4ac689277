#include "common/base/announce.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/base/text.h"

namespace holdfast::base {
namespace {

std::function<void(std::string_view, const Facts&)>& hook_place() {
  static std::function<void(std::string_view, const Facts&)> hook;
  return hook;
}

}  // namespace

std::string event_text(std::string_view name, Facts facts) {
  std::string out = fmt::format("event={}", name);
  for (const auto& [key, value] : facts) {
    std::string quoted = printable(value);
    std::replace(quoted.begin(), quoted.end(), '"', '\'');
    out += fmt::format(" {}=\"{}\"", key, quoted);
  }
  return out;
}

void announce(Level level, std::string_view name, Facts facts) {
  const std::string line = event_text(name, facts);
  switch (level) {
    case Level::kNotice: log().notice(line); break;
    case Level::kWarning: log().warning(line); break;
    case Level::kError: log().error(line); break;
  }
  if (const auto& hook = hook_place()) hook(name, facts);
}

void set_announce_hook(std::function<void(std::string_view name, const Facts& facts)> hook) {
  hook_place() = std::move(hook);
}

}  // namespace holdfast::base
