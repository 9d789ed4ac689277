#include <gtest/gtest.h>

#include "common/config/presets.h"
#include "tests/unit/config/texts.h"

namespace holdfast::config {
namespace {

Destination with_retry(const std::string& retry) {
  return good("hostname: a.b\ndestinations:\n  o:\n    servers: [h]\n    retry: " + retry +
              "\ndomains: {x.test: {destination: o}}\n").destinations.at("o");
}

TEST(Schedules, DefaultIsTheDesigns) {
  const auto phases = with_retry("default").schedule;
  EXPECT_EQ(phases, (std::vector<Phase>{{.until = Seconds{7200}, .every = Seconds{900}},
                                        {.until = Seconds{57600}, .start = Seconds{900}, .factor = 1.5},
                                        {.until = Seconds{345600}, .every = Seconds{21600}}}));
}

TEST(Schedules, PresetsEndWhenTheySay) {
  EXPECT_EQ(with_retry("exim").schedule.back().until, Seconds{4 * 86400});
  EXPECT_EQ(with_retry("short").schedule.back().until, Seconds{36 * 3600});
  EXPECT_EQ(with_retry("week").schedule.back().until, Seconds{7 * 86400});
}

TEST(Schedules, AListOfPhasesIsCustom) {
  const Destination d = with_retry("[{until: 1h, every: 5m}, {until: 2d, start: 10m, factor: 2}]");
  EXPECT_EQ(d.retry, "custom");
  EXPECT_EQ(d.schedule, (std::vector<Phase>{{.until = Seconds{3600}, .every = Seconds{300}},
                                            {.until = Seconds{172800}, .start = Seconds{600}, .factor = 2.0}}));
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

}  // namespace
}  // namespace holdfast::config
