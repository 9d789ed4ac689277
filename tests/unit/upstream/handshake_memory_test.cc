#include "common/upstream/handshake_memory.h"

#include <gtest/gtest.h>

namespace holdfast::upstream {
namespace {

const base::Mono kStart = base::Mono{} + base::Millis{1'000'000};

TEST(HandshakeMemory, AFailureCountsForAWhile) {
  HandshakeMemory memory;
  EXPECT_FALSE(memory.fails("10.0.0.5:25", kStart));
  memory.failed("10.0.0.5:25", kStart);
  EXPECT_TRUE(memory.fails("10.0.0.5:25", kStart + HandshakeMemory::kFor - base::Millis{1}));
  EXPECT_FALSE(memory.fails("10.0.0.6:25", kStart));
  EXPECT_FALSE(memory.fails("10.0.0.5:25", kStart + HandshakeMemory::kFor));
  EXPECT_EQ(memory.size(), 0u);
}

TEST(HandshakeMemory, IsBounded) {
  HandshakeMemory memory;
  for (std::size_t i = 0; i <= HandshakeMemory::kMost; ++i) {
    memory.failed(std::to_string(i), kStart + base::Millis{static_cast<int>(i)});
  }
  EXPECT_EQ(memory.size(), HandshakeMemory::kMost);
  EXPECT_FALSE(memory.fails("0", kStart)) << "the oldest";
  EXPECT_TRUE(memory.fails("1", kStart));
}

}  // namespace
}  // namespace holdfast::upstream
