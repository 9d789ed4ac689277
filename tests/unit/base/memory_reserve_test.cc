#include "common/base/memory_reserve.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "common/base/file.h"

namespace holdfast::base {
namespace {

constexpr std::size_t kMiB = 1 << 20;

std::size_t address_space() {
  const auto text = read_file("/proc/self/statm");
  return std::strtoull(text->c_str(), nullptr, 10) * 4096;
}

void bound_address_space(std::size_t more) {
  const rlimit limit{.rlim_cur = address_space() + more, .rlim_max = RLIM_INFINITY};
  ::setrlimit(RLIMIT_AS, &limit);
}

// In a process of its own, whose memory is bounded.
class MemoryReserveDeathTest : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer needs address space without end";
#endif
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
};

using Blocks = std::vector<std::unique_ptr<char[]>>;

[[noreturn]] void goes_on_and_recovers() {
  keep_memory_reserve(8 * kMiB);
  bound_address_space(16 * kMiB);
  if (short_of_memory()) std::_Exit(1);
  Blocks blocks;
  blocks.reserve(1000);
  while (!short_of_memory() && blocks.size() < 1000) blocks.push_back(std::make_unique<char[]>(kMiB));
  if (!short_of_memory()) std::_Exit(2);
  if (regain_memory_reserve()) std::_Exit(3);  // the memory is still in use
  blocks.push_back(std::make_unique<char[]>(kMiB));
  blocks.clear();
  if (!regain_memory_reserve() || short_of_memory()) std::_Exit(4);
  std::_Exit(0);
}

[[noreturn]] void uses_all_up(bool by_c_library) {
  keep_memory_reserve(2 * kMiB);
  bound_address_space(16 * kMiB);
  while (true) by_c_library ? (void)allocate(kMiB) : (void)std::make_unique<char[]>(kMiB).release();
}

TEST_F(MemoryReserveDeathTest, WorkGoesOnWithoutItAndItComesBack) {
  EXPECT_EXIT(goes_on_and_recovers(), testing::ExitedWithCode(0), "");
}

TEST_F(MemoryReserveDeathTest, EndsAtOnceWhenAllIsGone) {
  EXPECT_EXIT(uses_all_up(false), testing::ExitedWithCode(75), "out of memory: ending");
}

TEST_F(MemoryReserveDeathTest, SoDoesACLibrary) {
  EXPECT_EXIT(uses_all_up(true), testing::ExitedWithCode(75), "out of memory: ending");
}

TEST(MemoryReserve, WithoutOneNothingIsShort) { EXPECT_FALSE(short_of_memory()); }

}  // namespace
}  // namespace holdfast::base
