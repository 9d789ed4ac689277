#include "common/stats/page.h"

#include <functional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::stats {
namespace {

struct Shared {
  base::UniqueFd fd = *Page::make();
  Page page = *Page::open(fd.get());
};

// In a process of its own, as daemons do; the exit code.
int in_child(const std::function<void()>& deed) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    deed();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

TEST(Page, WhatAProcessCountsIsReadByAnother) {
  Shared shared;
  EXPECT_EQ(in_child([&] {
              const auto page = *Page::open(shared.fd.get());
              page.use();
              count(Counter::kSent, 3);
              observe(Histogram::kDeliverSeconds, std::chrono::milliseconds{2});
            }),
            0);
  const auto numbers = shared.page.read();
  EXPECT_EQ(numbers[Counter::kSent], 3u);
  EXPECT_EQ(numbers[Counter::kAttempts], 0u);
  EXPECT_EQ(numbers[Histogram::kDeliverSeconds].buckets[1], 1u);
  EXPECT_EQ(numbers[Histogram::kDeliverSeconds].sum_us, 2000u);
}

TEST(Page, WhatDestinationsAnsweredIsReadByAnotherUntilItIsCleared) {
  Shared shared;
  in_child([&] {
    const auto page = *Page::open(shared.fd.get());
    page.use();
    count_answer("office", Answer::kAccepted, std::chrono::milliseconds{2});
  });
  EXPECT_EQ(shared.page.read().destinations.at("office")[Answer::kAccepted], 1u);
  shared.page.clear();
  EXPECT_TRUE(shared.page.read().destinations.empty());
}

TEST(Page, WhoeverBeginsToUseItBeginsAtNone) {
  Shared shared;
  for (int n = 0; n < 2; ++n) {
    in_child([&] {
      const auto page = *Page::open(shared.fd.get());
      page.use();
      count(Counter::kSent);
    });
  }
  EXPECT_EQ(shared.page.read()[Counter::kSent], 1u);
}

TEST(Page, NumbersOfAnotherTableAreNotOurs) {
  Shared shared;
  in_child([&] {
    const auto page = *Page::open(shared.fd.get());
    page.use();
    count(Counter::kSent);
  });
  auto* layout = static_cast<std::uint64_t*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, shared.fd.get(), 0));
  ASSERT_NE(layout, MAP_FAILED);
  EXPECT_EQ(*layout, layout_number());
  *layout += 1;
  EXPECT_EQ(shared.page.read()[Counter::kSent], 0u);
  ::munmap(layout, 4096);
}

TEST(Page, ItsSizeCannotBeChanged) {
  Shared shared;
  EXPECT_NE(::ftruncate(shared.fd.get(), 1), 0);
}

}  // namespace
}  // namespace holdfast::stats
