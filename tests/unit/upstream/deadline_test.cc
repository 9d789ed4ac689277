#include "common/upstream/deadline.h"

#include <gtest/gtest.h>

#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::upstream {
namespace {

using base::Millis;

class DeadlineTest : public testing::Test {
 protected:
  bool passes(Millis within) {
    const int before = passed;
    return bench.until([&] { return passed > before; }, within);
  }

  test::Bench bench;
  int passed = 0;
  Deadline deadline{bench.loop, [this] { ++passed; }};
};

TEST_F(DeadlineTest, PassesOnce) {
  deadline.in(Millis{20});
  EXPECT_TRUE(passes(Millis{2'000}));
  EXPECT_FALSE(passes(Millis{60}));
}

TEST_F(DeadlineTest, ALaterOneReplacesTheFirst) {
  deadline.in(Millis{20});
  deadline.in(Millis{10'000});
  EXPECT_FALSE(passes(Millis{100}));
}

TEST_F(DeadlineTest, AnEarlierOneReplacesTheFirst) {
  deadline.in(Millis{60'000});
  deadline.in(Millis{20});
  EXPECT_TRUE(passes(Millis{2'000}));
}

TEST_F(DeadlineTest, NoneMeansNever) {
  deadline.in(Millis{20});
  deadline.none();
  EXPECT_FALSE(passes(Millis{60}));
  deadline.in(Millis{20});
  EXPECT_TRUE(passes(Millis{2'000}));
}

TEST(Deadline, MayBeDestroyedWhenItPasses) {
  test::Bench bench;
  std::unique_ptr<Deadline> deadline;
  deadline = std::make_unique<Deadline>(bench.loop, [&] { deadline.reset(); });
  deadline->in(Millis{5});
  EXPECT_TRUE(bench.until([&] { return deadline == nullptr; }));
}

}  // namespace
}  // namespace holdfast::upstream
