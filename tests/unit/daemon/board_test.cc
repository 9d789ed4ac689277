#include "common/daemon/board.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::daemon {
namespace {

TEST(Board, IsSharedByAllWhoHaveIt) {
  const auto fd = Board::make();
  ASSERT_TRUE(fd) << fd.error().text;
  const auto ours = Board::open(fd->get(), 2);
  ASSERT_TRUE(ours);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto theirs = Board::open(fd->get(), 2);
    set(theirs->gauges(1).clients, 7U);
    theirs->part(1)[3] = std::byte{9};
    ::_exit(theirs->key() == ours->key() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(seen(ours->gauges(1).clients), 7U);
  EXPECT_EQ(ours->part(1)[3], std::byte{9});
  EXPECT_EQ(seen(ours->gauges(0).clients), 0U);

  ours->clear(1);
  EXPECT_EQ(seen(ours->gauges(1).clients), 0U);
  EXPECT_EQ(ours->part(1)[3], std::byte{0});
}

TEST(Board, IsClearedWhenItIsOnesOwn) {
  const auto board = Board::alone(1);
  board.part(0)[5] = std::byte{1};
  add(board.gauges(0).early_talkers, std::uint64_t{3});
  board.clear(0);
  EXPECT_EQ(board.part(0)[5], std::byte{0});
  EXPECT_EQ(seen(board.gauges(0).early_talkers), 0u);
}

TEST(Board, AddsUpWhatTheWorkersShow) {
  const auto board = Board::alone(2);
  set(board.gauges(0).clients, 3U);
  set(board.gauges(1).clients, 4U);
  set(board.gauges(1).stressed, 1U);
  add(board.gauges(0).refused_kept, std::uint64_t{2});
  const auto sum = board.sum(2);
  EXPECT_EQ(sum.clients, 7U);
  EXPECT_EQ(sum.stressed, 1U);
  EXPECT_EQ(sum.refused_kept, 2U);
  EXPECT_EQ(board.sum(1).clients, 3U);
}

TEST(Board, CannotBeCutShortUnderTheOthers) {
  const auto fd = Board::make();
  ASSERT_TRUE(fd);
  EXPECT_EQ(::ftruncate(fd->get(), 4096), -1);
}

TEST(Board, EachRunHasAKeyOfItsOwn) { EXPECT_NE(Board::alone(1).key(), Board::alone(1).key()); }

TEST(Board, PartsDoNotOverlap) {
  const auto board = Board::alone(Board::kMaxWorkers);
  board.part(Board::kMaxWorkers - 1).back() = std::byte{1};
  EXPECT_EQ(board.part(0).data() + Board::kPartBytes, board.part(1).data());
  EXPECT_EQ(board.part(0).size(), Board::kPartBytes);
}

}  // namespace
}  // namespace holdfast::daemon
