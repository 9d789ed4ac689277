// A folder of its own for a test, gone afterwards.
#pragma once

#include <filesystem>
#include <string>

#include <stdlib.h>

#include <gtest/gtest.h>

namespace holdfast::test {

class InFolder : public testing::Test {
 protected:
  InFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  ~InFolder() override { std::filesystem::remove_all(root_); }

  std::string root_;
};

}  // namespace holdfast::test
