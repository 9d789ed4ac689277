#include "common/storage/content.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::storage {
namespace {

using test::read_all;

TEST(Content, IsEmptyAtFirst) {
  const test::Folder folder;
  Content c(folder.path());
  EXPECT_EQ(c.size(), 0U);
  EXPECT_EQ(read_all(c), "");
}

TEST(Content, HeadComesFirstAndCounts) {
  const test::Folder folder;
  auto c = test::content(folder.path(), "body\r\n", "Received: x\r\n");
  EXPECT_EQ(c.size(), 19U);
  EXPECT_EQ(read_all(c), "Received: x\r\nbody\r\n");
  c.set_head("R: y\r\n");
  EXPECT_EQ(read_all(c), "R: y\r\nbody\r\n");
  EXPECT_EQ(read_all(c), "R: y\r\nbody\r\n") << "reading twice changes nothing";
}

TEST(Content, GetsAnotherBeginning) {
  const test::Folder folder;
  for (const std::size_t memory : {1000U, 3U}) {
    Content c(folder.path(), {.memory = memory, .process_memory = 1 << 20});
    ASSERT_TRUE(c.append("one\r\ntwo\r\nthree\r\n"));
    EXPECT_EQ(c.in_file(), memory == 3);
    c.replace_front(5, "ONE and more\r\n");
    EXPECT_EQ(read_all(c), "ONE and more\r\ntwo\r\nthree\r\n");
    EXPECT_EQ(c.size(), 26U);
    c.replace_front(19, "");
    EXPECT_EQ(read_all(c), "three\r\n") << "more than the head";
    c.replace_front(0, "Received: x\r\nFrom: y\r\n");
    c.replace_front(13, "R: z\r\n");
    EXPECT_EQ(read_all(c), "R: z\r\nFrom: y\r\nthree\r\n") << "less than the head";
    Content moved(std::move(c));
    EXPECT_EQ(read_all(moved), "R: z\r\nFrom: y\r\nthree\r\n");
    ASSERT_TRUE(moved.append("four\r\n"));
    EXPECT_EQ(moved.size(), 28U);
    moved.replace_front(moved.size(), "");
    EXPECT_EQ(read_all(moved), "");
  }
}

TEST(Content, GoesToAFileAtItsLimit) {
  const test::Folder folder;
  Content c(folder.path(), {.memory = 100, .process_memory = 1 << 20});
  std::string want;
  for (int i = 0; i < 300; ++i) {
    const std::string line = "line " + std::to_string(i) + "\r\n";
    ASSERT_TRUE(c.append(line));
    want += line;
    EXPECT_EQ(c.in_file(), want.size() > 100);
  }
  c.set_head("H\r\n");
  EXPECT_EQ(read_all(c), "H\r\n" + want);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "the file has no name";
}

TEST(Content, SharesTheProcessBudget) {
  const test::Folder folder;
  const std::size_t before = Content::memory_in_use();
  const ContentLimits limits{.memory = 1000, .process_memory = before + 1500};
  Content a(folder.path(), limits);
  ASSERT_TRUE(a.append(std::string(1000, 'a')));
  EXPECT_EQ(Content::memory_in_use(), before + 1000);
  {
    Content b(folder.path(), limits);
    ASSERT_TRUE(b.append(std::string(600, 'b')));
    EXPECT_TRUE(b.in_file());
    EXPECT_EQ(Content::memory_in_use(), before + 1000);
  }
  Content moved(std::move(a));
  EXPECT_EQ(Content::memory_in_use(), before + 1000);
  moved = Content(folder.path());
  EXPECT_EQ(Content::memory_in_use(), before);
}

TEST(Content, LargeOnesAreReadInPieces) {
  const test::Folder folder;
  std::string want;
  for (int i = 0; want.size() < (3U << 20); ++i) want += std::to_string(i) + "\r\n";
  const auto c = test::content(folder.path(), want, "H\r\n");
  EXPECT_TRUE(c.in_file());
  ContentReader reader(c);
  EXPECT_LE(reader.next()->size(), 64U << 10);
  EXPECT_EQ(read_all(c), "H\r\n" + want);
}

TEST(Content, AFolderThatIsNotThereIsAnError) {
  Content c("/nonexistent-holdfast", {.memory = 1, .process_memory = 1 << 20});
  EXPECT_FALSE(c.append("xx"));
}

}  // namespace
}  // namespace holdfast::storage
