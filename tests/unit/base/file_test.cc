#include "common/base/file.h"

#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::base {
namespace {

class File : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-file-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string in(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
};

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST_F(File, UniqueFdClosesOnce) {
  int raw = -1;
  {
    UniqueFd fd(::open("/dev/null", O_RDONLY));
    raw = fd.get();
    UniqueFd moved(std::move(fd));
    EXPECT_FALSE(fd);
    EXPECT_EQ(moved.get(), raw);
    EXPECT_TRUE(is_open(raw));
  }
  EXPECT_FALSE(is_open(raw));
  UniqueFd kept(::open("/dev/null", O_RDONLY));
  raw = kept.release();
  EXPECT_TRUE(is_open(raw));
  ::close(raw);
}

TEST_F(File, ReplaceThenRead) {
  ASSERT_TRUE(replace_file(in("a"), "one"));
  ASSERT_TRUE(replace_file(in("a"), std::string("tw\0o", 4)));
  EXPECT_EQ(read_file(in("a")).value(), std::string("tw\0o", 4));
  EXPECT_FALSE(std::filesystem::exists(in("a.new")));
  struct stat status {};
  ASSERT_EQ(::stat(in("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007, 0u) << "mail is nobody else's";
}

TEST_F(File, WhatIsMissingIsNotFound) {
  EXPECT_EQ(read_file(in("none")).error().kind, Kind::kNotFound);
  EXPECT_EQ(replace_file(in("no/folder"), "x").error().kind, Kind::kNotFound);
}

TEST_F(File, TooLongIsData) {
  ASSERT_TRUE(replace_file(in("a"), std::string(1001, 'x')));
  EXPECT_EQ(read_file(in("a"), 1000).error().kind, Kind::kData);
  EXPECT_EQ(read_file(in("a"), 1001).value().size(), 1001u);
}

TEST_F(File, WritesAtAnOffset) {
  const UniqueFd fd(::open(in("a").c_str(), O_RDWR | O_CREAT, 0600));
  ASSERT_TRUE(write_all(fd.get(), "0123456789"));
  ASSERT_TRUE(pwrite_all(fd.get(), "ab", 4));
  EXPECT_EQ(read_file(in("a")).value(), "0123ab6789");
}

TEST_F(File, AFailedWriteSaysSo) {
  const UniqueFd full(::open("/dev/full", O_WRONLY));
  EXPECT_EQ(write_all(full.get(), "x").error().kind, Kind::kNoSpace);
  const UniqueFd read_only(::open("/dev/null", O_RDONLY));
  EXPECT_FALSE(pwrite_all(read_only.get(), "x", 0));
}

TEST_F(File, FoldersAreMadeWithTheirParents) {
  ASSERT_TRUE(make_folders(in("a/b/c")));
  EXPECT_TRUE(std::filesystem::is_directory(in("a/b/c")));
  EXPECT_TRUE(make_folders(in("a/b/c"))) << "what is there stays";
  EXPECT_TRUE(fsync_folder(in("a/b/c")));
  ASSERT_TRUE(replace_file(in("file"), ""));
  EXPECT_FALSE(make_folders(in("file/below")));
}

}  // namespace
}  // namespace holdfast::base
