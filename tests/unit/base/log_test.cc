#include "common/base/log.h"

#include <filesystem>
#include <regex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "common/base/text.h"

namespace holdfast::base {
namespace {

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-log-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    ASSERT_TRUE(log_.open(path(), "mx", "smtpd"));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/smtpd.log"; }
  std::string content(const std::string& file) const { return read_file(file).value_or("(no file)"); }
  std::size_t lines() const { return split(content(path()), '\n').size() - 1; }

  std::string folder_;
  Log log_;
};

TEST_F(LogTest, LinesHavePostfixsShape) {
  log_.notice("4F2A: client=x[192.0.2.1]");
  log_.write("4F2A: from=<a@b>", "proxy");
  log_.flush();
  const std::string pid = std::to_string(::getpid());
  const std::regex shape("[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} mx holdfast/smtpd\\[" + pid +
                         "\\]: 4F2A: client=x\\[192\\.0\\.2\\.1\\]\n"
                         "[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} mx holdfast/proxy\\[" + pid +
                         "\\]: 4F2A: from=<a@b>\n");
  EXPECT_TRUE(std::regex_match(content(path()), shape)) << content(path());
}

TEST_F(LogTest, LinesAreGatheredUntilFlushed) {
  log_.notice("one");
  EXPECT_EQ(lines(), 0u);
  log_.flush();
  EXPECT_EQ(lines(), 1u);
}

TEST_F(LogTest, WarningsAndErrorsDoNotWait) {
  log_.notice("before");
  log_.warning("the disk is slow");
  EXPECT_EQ(lines(), 2u);
  EXPECT_NE(content(path()).find(": warning: the disk is slow\n"), std::string::npos);
  log_.error("the disk is gone");
  EXPECT_NE(content(path()).find(": error: the disk is gone\n"), std::string::npos);
}

TEST_F(LogTest, DebugLinesOnlyWhenAskedFor) {
  log_.debug("hidden");
  log_.set_debug(true);
  log_.debug("shown");
  log_.flush();
  EXPECT_EQ(content(path()).find("hidden"), std::string::npos);
  EXPECT_NE(content(path()).find("debug: shown"), std::string::npos);
}

TEST_F(LogTest, ManyLinesAreWrittenWithoutAFlush) {
  for (int i = 0; i < 1000; ++i) log_.notice(std::string(100, 'x'));
  EXPECT_GT(lines(), 100u);
}

TEST_F(LogTest, RotationLosesNoLine) {
  log_.notice("first");
  std::filesystem::rename(path(), path() + ".1");
  ASSERT_TRUE(log_.reopen());
  log_.notice("second");
  log_.flush();
  EXPECT_NE(content(path() + ".1").find("first"), std::string::npos);
  EXPECT_NE(content(path()).find("second"), std::string::npos);
  EXPECT_EQ(content(path()).find("first"), std::string::npos);
}

TEST_F(LogTest, ThreadsDoNotMixTheirLines) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 500; ++i) log_.notice(std::string(80, static_cast<char>('a' + t)));
    });
  }
  for (auto& thread : threads) thread.join();
  log_.flush();
  const std::regex shape(".*: (a{80}|b{80}|c{80}|d{80})");
  std::size_t whole = 0;
  const std::string text = content(path());
  for (const auto line : split(text, '\n')) whole += std::regex_match(line.begin(), line.end(), shape) ? 1 : 0;
  EXPECT_EQ(whole, 2000u);
}

TEST(Log, AFolderThatIsNotThereIsAnError) {
  Log log;
  EXPECT_FALSE(log.open("/nonexistent/folder/x.log", "mx", "x"));
}

}  // namespace
}  // namespace holdfast::base
