#include "common/config/schedule.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/config/presets.h"
#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;

Destination with(const std::string& settings) {
  return good("hostname: a.b\ndestinations:\n  o:\n    servers: [h]\n    " + settings +
              "\ndomains: {x.test: {destination: o}}\n").destinations.at("o");
}
Destination with_retry(const std::string& retry) { return with("retry: " + retry); }

std::vector<std::int64_t> ages(std::string_view preset) {
  std::vector<std::int64_t> out;
  for (const auto& attempt : timetable(find_preset(preset)->phases)) out.push_back(attempt.age_ms);
  return out;
}

TEST(Schedules, DefaultIsTheDesigns) {
  const auto phases = with_retry("default").schedule;
  EXPECT_EQ(phases, (std::vector<Phase>{{.until = Seconds{7200}, .every = Seconds{900}},
                                        {.until = Seconds{57600}, .start = Seconds{900}, .factor = 1.5},
                                        {.until = Seconds{345600}, .every = Seconds{21600}}}));
}

TEST(Schedules, PresetsEndWhenTheySay) {
  EXPECT_EQ(with_retry("exim").lifetime(), Seconds{4 * 86400});
  EXPECT_EQ(with_retry("short").lifetime(), Seconds{36 * 3600});
  EXPECT_EQ(with_retry("week").lifetime(), Seconds{7 * 86400});
}

TEST(Schedules, AListOfPhasesIsCustom) {
  const Destination d = with_retry("[{until: 1h, every: 5m}, {until: 2d, start: 10m, factor: 2}]");
  EXPECT_EQ(d.retry, "custom");
  EXPECT_EQ(d.schedule, (std::vector<Phase>{{.until = Seconds{3600}, .every = Seconds{300}},
                                            {.until = Seconds{172800}, .start = Seconds{600}, .factor = 2.0}}));
  EXPECT_EQ(d.jitter, 5);
  EXPECT_TRUE(d.early_warning);
}

TEST(Schedules, EveryPresetHasAscendingPhases) {
  for (const auto& preset : presets()) {
    Seconds before{0};
    for (const auto& phase : preset.phases) {
      EXPECT_GT(phase.until, before) << preset.name;
      EXPECT_NE(phase.every.count() > 0, phase.start.count() > 0) << preset.name;
      before = phase.until;
    }
  }
}

TEST(Schedules, ShortIsMoreRandomAndWarnsNobody) {
  EXPECT_EQ(with_retry("short").jitter, 25);
  EXPECT_FALSE(with_retry("short").early_warning);
  EXPECT_EQ(with("retry_jitter: 7\n    retry: short").jitter, 7);
  EXPECT_EQ(with_retry("default").jitter, 5);
}

TEST(Timetable, OfDefault) {
  const auto at = ages("default");
  ASSERT_GT(at.size(), 20U);
  // Every 15 minutes for two hours; the first at once.
  for (std::int64_t i = 0; i <= 8; ++i) EXPECT_EQ(at[static_cast<std::size_t>(i)], i * 15 * kMinute);
  // From 15 minutes by half: 15, 22.5, 33.75, …
  EXPECT_EQ(at[9] - at[8], 15 * kMinute);
  EXPECT_EQ(at[10] - at[9], 22 * kMinute + 30'000);
  EXPECT_EQ(at[11] - at[10], 33 * kMinute + 45'000);
  // Cut at 16 hours, then every 6 hours; the last one half a minute before the end.
  const auto cut = std::ranges::find(at, 16 * kHour);
  ASSERT_NE(cut, at.end());
  EXPECT_EQ(*(cut + 1), 22 * kHour);
  EXPECT_EQ(at.back(), 4 * kDay - 30'000);
  EXPECT_EQ(at[at.size() - 2], 94 * kHour);
}

TEST(Timetable, OfExim) {
  const auto at = ages("exim");
  EXPECT_EQ(at[8], 2 * kHour);
  EXPECT_EQ(at[9], 3 * kHour);
  EXPECT_EQ(at[10], 3 * kHour + 90 * kMinute);
  EXPECT_EQ(at.back(), 4 * kDay - 30'000);
}

TEST(Timetable, OfShort) {
  const auto at = ages("short");
  EXPECT_EQ(at[1], 5 * kMinute);
  EXPECT_EQ(at[2], 12 * kMinute + 30'000);
  EXPECT_NE(std::ranges::find(at, 12 * kHour), at.end());
  EXPECT_EQ(at[at.size() - 2], 32 * kHour);
  EXPECT_EQ(at.back(), 36 * kHour - 30'000);
}

TEST(Timetable, OfWeek) {
  const auto at = ages("week"), standard = ages("default");
  EXPECT_TRUE(std::equal(standard.begin(), standard.end() - 1, at.begin()));
  EXPECT_EQ(at.back(), 7 * kDay - 30'000);
}

TEST(Timetable, OfSecondsIsAsShortAsItSays) {
  std::vector<std::int64_t> at;
  for (const auto& attempt : timetable({{.until = Seconds{4}, .every = Seconds{1}}})) at.push_back(attempt.age_ms);
  EXPECT_EQ(at, (std::vector<std::int64_t>{0, 1000, 2000, 3000}));
}

TEST(Timetable, EndsAlways) {
  EXPECT_EQ(timetable({{.until = Seconds{1}, .start = Seconds{5}, .factor = 10}}).size(), 1U);
  EXPECT_LE(timetable({{.until = Seconds{100 * 365 * 86400LL}, .every = Seconds{1}}}).size(), 100'000U);
}

TEST(Waits, BehindTheLastAttemptTheLifeIsOver) {
  const std::vector<Phase> schedule{{.until = Seconds{3600}, .every = Seconds{600}}};
  const FailedAttempt last{.age_ms = kHour - 30'000, .last_age_ms = 50 * kMinute, .wait_ms = 10 * kMinute};
  EXPECT_GT(last.age_ms + cut_wait_ms(schedule, last, full_wait_ms(schedule, last)), kHour);
}

TEST(Waits, GoOnAsInTheLastPhaseForWhoMayLiveLonger) {
  const std::vector<Phase> schedule{{.until = Seconds{3600}, .every = Seconds{600}}};
  const FailedAttempt extended{.age_ms = 2 * kHour, .last_age_ms = kHour, .wait_ms = 0, .life_ms = 5 * kHour};
  EXPECT_EQ(cut_wait_ms(schedule, extended, full_wait_ms(schedule, extended)), 10 * kMinute);
}

TEST(Waits, NeverOverflow) {
  const std::vector<Phase> schedule{{.until = Seconds{100 * 365 * 86400LL}, .start = Seconds{1}, .factor = 10}};
  FailedAttempt failed{.age_ms = 1, .last_age_ms = 0, .wait_ms = 1000};
  for (int i = 0; i < 100; ++i) {
    failed.wait_ms = full_wait_ms(schedule, failed);
    ASSERT_GT(failed.wait_ms, 0);
    ASSERT_LE(failed.wait_ms, longest_wait_ms(schedule));
  }
}

TEST(Schedules, TheReferenceIsInStep) {
  const auto text = base::read_file(std::string(HOLDFAST_SOURCE) + "/docs/schedules.md");
  ASSERT_TRUE(text) << text.error().text;
  EXPECT_EQ(*text, schedule_reference()) << "run `make doc`";
}

}  // namespace
}  // namespace holdfast::config
