#include "common/storage/space.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;

TEST(Space, TheReserveIsTheLessOfShareAndSize) {
  const Reserve reserve{.percent = 10, .bytes = kGiB};
  EXPECT_EQ(reserve.bytes_of({.bytes = 100 * kGiB}), kGiB);
  EXPECT_EQ(reserve.bytes_of({.bytes = 5 * kGiB}), kGiB / 2);
  EXPECT_EQ((Reserve{.percent = 10, .bytes = 0}).bytes_of({.bytes = 100 * kGiB}), 10 * kGiB) << "a percentage alone";
  EXPECT_EQ((Reserve{.percent = 0, .bytes = 2 * kGiB}).bytes_of({.bytes = 100 * kGiB}), 2 * kGiB) << "a size alone";
  EXPECT_EQ((Reserve{.percent = 0, .bytes = 0}).bytes_of({.bytes = 100 * kGiB}), 0U);
  EXPECT_EQ((Reserve{.percent = 50, .bytes = ~0ULL}).bytes_of({.bytes = ~0ULL}), ~0ULL / 2) << "no overflow";
}

TEST(Space, AcceptsDownToTheReserveAndNoFurther) {
  const Reserve reserve{.percent = 100, .bytes = 1000};
  const Space space{.bytes = kGiB, .free_bytes = 1500};
  EXPECT_TRUE(accepts(space, reserve));
  EXPECT_TRUE(accepts(space, reserve, 500));
  EXPECT_FALSE(accepts(space, reserve, 501)) << "this message would go under it";
  EXPECT_FALSE(accepts(space, reserve, ~0ULL));
  EXPECT_TRUE(accepts({.bytes = kGiB, .free_bytes = 1000}, reserve));
  EXPECT_FALSE(accepts({.bytes = kGiB, .free_bytes = 999}, reserve));
}

TEST(Space, AFullDiskTakesNothingWhateverTheReserve) {
  EXPECT_FALSE(accepts({.bytes = kGiB, .free_bytes = 0}, {.percent = 0, .bytes = 0}));
  EXPECT_FALSE(accepts({.bytes = kGiB, .free_bytes = kGiB, .inodes = 10, .free_inodes = 0}, {.percent = 0, .bytes = 0}));
}

TEST(Space, InodesCountWhereThereAreAny) {
  const Reserve reserve{.percent = 10, .bytes = 1};
  EXPECT_TRUE(accepts({.bytes = kGiB, .free_bytes = kGiB, .inodes = 100, .free_inodes = 10}, reserve));
  EXPECT_FALSE(accepts({.bytes = kGiB, .free_bytes = kGiB, .inodes = 100, .free_inodes = 9}, reserve));
  EXPECT_TRUE(accepts({.bytes = kGiB, .free_bytes = kGiB, .inodes = 1 << 30, .free_inodes = 1000}, reserve));
  EXPECT_FALSE(accepts({.bytes = kGiB, .free_bytes = kGiB, .inodes = 1 << 30, .free_inodes = 999}, reserve));
  EXPECT_TRUE(accepts({.bytes = kGiB, .free_bytes = kGiB}, reserve)) << "btrfs has none";
  EXPECT_FALSE(accepts({.bytes = kGiB, .free_bytes = kGiB, .inodes = 1 << 30, .free_inodes = 999}, {.percent = 0, .bytes = 1}));
}

TEST(Space, TriedRoomIsGivenBack) {
  const test::Folder folder;
  EXPECT_TRUE(try_room(folder.path(), 1 << 20));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_EQ(try_room("/dev/null/not", 1).error().kind, base::fail_errno("", ENOTDIR).error().kind);
}

TEST(SpaceWatch, AsksOnceASecond) {
  const test::Folder folder;
  SpaceWatch watch(folder.path());
  watch.set_reserve({.percent = 0, .bytes = 0});
  const base::Mono start{base::Seconds{100}};
  EXPECT_TRUE(watch.accepts(start));
  watch.set_reserve({.percent = 100, .bytes = ~0ULL});
  EXPECT_FALSE(watch.accepts(start + base::Millis{10})) << "another reserve counts at once";
  std::filesystem::remove(folder.path());
  EXPECT_FALSE(watch.accepts(start + base::Millis{999})) << "nobody was asked";
  EXPECT_TRUE(watch.accepts(start + base::Millis{1001})) << "what cannot be read is enough";
}

TEST(SpaceWatch, WhatCannotBeReadIsEnough) {
  SpaceWatch watch("/nowhere/at/all");
  EXPECT_TRUE(watch.accepts(base::Mono{base::Seconds{100}}, 1 << 20));
}

}  // namespace
}  // namespace holdfast::storage
