#include "common/config/schedule.h"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "common/config/presets.h"

namespace holdfast::config {
namespace {

constexpr std::int64_t kLeastWaitMs = 1000;
constexpr std::int64_t kBeforeTheEndMs = 30'000;
constexpr std::size_t kMostRows = 100'000;  // a schedule of seconds for years

std::int64_t ms(Seconds s) { return s.count() * 1000; }

struct Current {
  const Phase& phase;
  std::int64_t begin_ms;
  bool last;
};

Current phase_at(const std::vector<Phase>& schedule, std::int64_t age_ms) {
  base::expect(!schedule.empty(), "an empty retry schedule");
  std::int64_t begin = 0;
  auto phase = schedule.begin();
  while (phase + 1 != schedule.end() && age_ms >= ms(phase->until)) {
    begin = ms(phase->until);
    ++phase;
  }
  return {*phase, begin, phase + 1 == schedule.end()};
}

std::string age_text(std::int64_t at_ms) {
  const auto minutes = at_ms / 60'000, seconds = at_ms / 1000 % 60;
  const auto days = minutes / 1440, hours = minutes / 60 % 24;
  std::string out = days > 0 ? fmt::format("{}d ", days) : "";
  if (days > 0 || hours > 0) out += fmt::format("{}h ", hours);
  out += fmt::format("{}m", minutes % 60);
  return seconds > 0 ? out + fmt::format(" {}s", seconds) : out;
}

std::string table_of(const Preset& preset) {
  std::string out = fmt::format("## {}\n\n{}.\n\n| attempt | age of the message | wait before it |\n|---|---|---|\n", preset.name,
                                preset.doc);
  out[out.find(preset.doc)] = static_cast<char>(std::toupper(preset.doc.front()));
  std::size_t number = 0;
  for (const auto& attempt : timetable(preset.phases)) {
    ++number;
    out += fmt::format("| {} | {} | {} |\n", number, age_text(attempt.age_ms), number == 1 ? "" : age_text(attempt.wait_ms));
  }
  return out + fmt::format("| given up | {} | |\n\nEach wait is up to {} % longer or shorter at random.\n\n",
                           age_text(ms(preset.phases.back().until)), preset.jitter);
}

constexpr std::string_view kHead = R"(# Retry schedules

Made by `gatewayctl config schedules`; do not edit. Change common/config/presets.cc and run `make doc`.

When a message is tried again whose destination is up but refuses it for now, without jitter: every attempt of
each schedule that has a name. The age counts from the moment we took the message. While a destination is down
no attempt is made and none is counted; when it is back all of its mail is due at once. The mail is given up on
time, whatever the destination's state: its sender gets a bounce. A wait that crosses the end of a phase is cut
there; the last attempt comes half a minute before the end.

)";

}  // namespace

std::int64_t full_wait_ms(const std::vector<Phase>& schedule, const FailedAttempt& failed) {
  const auto [phase, begin, last] = phase_at(schedule, failed.age_ms);
  if (phase.every.count() > 0) return ms(phase.every);
  const bool same_phase = failed.last_age_ms >= begin;
  if (!same_phase) return ms(phase.start);
  // Never past the phase, so that no number of attempts makes it overflow.
  const auto grown = std::min(static_cast<double>(failed.wait_ms) * phase.factor, static_cast<double>(ms(phase.until)));
  return std::max(ms(phase.start), static_cast<std::int64_t>(grown));
}

std::int64_t cut_wait_ms(const std::vector<Phase>& schedule, const FailedAttempt& failed, std::int64_t wait_ms) {
  const auto [phase, begin, last] = phase_at(schedule, failed.age_ms);
  const std::int64_t life = failed.life_ms > 0 ? failed.life_ms : ms(schedule.back().until);
  const std::int64_t left = life - failed.age_ms, before_the_end = std::min(kBeforeTheEndMs, wait_ms / 10);
  if (left <= 2 * before_the_end) return std::max(left, std::int64_t{0}) + kLeastWaitMs;  // the last one has been
  wait_ms = std::min(wait_ms, left - before_the_end);
  if (!last) wait_ms = std::min(wait_ms, ms(phase.until) - failed.age_ms);
  return std::max(wait_ms, kLeastWaitMs);
}

std::int64_t longest_wait_ms(const std::vector<Phase>& schedule) {
  std::int64_t longest = kLeastWaitMs, begin = 0;
  for (const auto& phase : schedule) {
    // A growing wait is cut at its phase's end.
    longest = std::max(longest, phase.every.count() > 0 ? ms(phase.every) : ms(phase.until) - begin);
    begin = ms(phase.until);
  }
  return longest;
}

std::vector<PlannedAttempt> timetable(const std::vector<Phase>& schedule) {
  std::vector<PlannedAttempt> out{{}};
  FailedAttempt failed;
  while (out.size() < kMostRows) {
    const auto wait = full_wait_ms(schedule, failed);
    const auto cut = cut_wait_ms(schedule, failed, wait);
    if (failed.age_ms + cut >= ms(schedule.back().until)) break;
    failed = {.age_ms = failed.age_ms + cut, .last_age_ms = failed.age_ms, .wait_ms = wait, .life_ms = 0};
    out.push_back({failed.age_ms, cut});
  }
  return out;
}

std::string schedule_reference() {
  std::string out(kHead);
  for (const auto& preset : presets()) out += table_of(preset);
  out.pop_back();
  return out;
}

}  // namespace holdfast::config
