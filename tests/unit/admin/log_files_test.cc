#include "common/admin/log_files.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace holdfast::admin {
namespace {

class LogFilesTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = folder_.path() + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  storage::test::Folder folder_;
};

TEST_F(LogFilesTest, LogsOldestFirstPackedOnesToo) {
  write("qmgr.log", "3\n4");
  write("qmgr.log.1", "2\n");
  write("qmgr.log.2", "1\n");
  ASSERT_EQ(std::system(("gzip " + folder_.path() + "/qmgr.log.2").c_str()), 0);
  write("deliver.log", "d\n");
  write("qmgr.log.old", "no");
  write("other.txt", "no");
  const auto files = list_log_files(folder_.path());
  ASSERT_TRUE(files);
  std::string all;
  for (const auto& file : *files) {
    ASSERT_TRUE(read_lines(file, [&](std::string_view line) { all += std::string(line) + ","; }));
  }
  EXPECT_EQ(all, "d,1,2,3,") << "a line that is being written is not shown";
}

TEST_F(LogFilesTest, ATailGoesOnThroughARotation) {
  const auto path = write("qmgr.log", "1\n2");
  LogTail tail(path);
  std::string all;
  const auto read_on = [&] {
    ASSERT_TRUE(tail.read_on([&](std::string_view line) { all += std::string(line) + ","; }));
  };
  read_on();
  std::ofstream(path, std::ios::app) << "2\n";
  read_on();
  std::filesystem::rename(path, path + ".1");
  std::ofstream(path + ".1", std::ios::app) << "3\n";
  write("qmgr.log", "4\n");
  read_on();
  EXPECT_EQ(all, "1,22,3,4,");
}

}  // namespace
}  // namespace holdfast::admin
