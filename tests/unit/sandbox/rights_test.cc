#include "common/sandbox/rights.h"

#include <gtest/gtest.h>

#include "common/base/file.h"

namespace holdfast::sandbox {
namespace {

// "" when there is no such part.
std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const auto begin = text.find(from);
  const auto line = text.find('\n', begin);
  const auto end = text.find(to, begin);
  return begin == text.npos || end == text.npos ? "" : text.substr(line + 1, end - line - 1);
}

TEST(Rights, AreThoseOfTheDocuments) {
  const auto page = base::read_file(std::string(DOCS_FOLDER) + "/security.md");
  ASSERT_TRUE(page);
  EXPECT_EQ(between(*page, "<!-- rights:", "<!-- end -->"), rights_table());
}

TEST(Rights, OnlyOneWritesWhatOneMustWrite) {
  int spool = 0, directory = 0;
  for (const auto& rights : all_rights()) {
    for (const auto& [place, access] : rights.folders) {
      spool += place == Place::kSpool && access == Access::kWrite;
      directory += place == Place::kDirectory && access == Access::kWrite;
      EXPECT_FALSE(place == Place::kRun && access == Access::kWrite) << rights.daemon;
    }
  }
  EXPECT_EQ(spool, 1);
  EXPECT_EQ(directory, 1);
}

TEST(Rights, QmgrHasNoNetworkAndNoKeys) {
  ASSERT_NE(rights_of("qmgr"), nullptr);
  EXPECT_FALSE(rights_of("qmgr")->network);
  EXPECT_FALSE(rights_of("qmgr")->handed_files);
  EXPECT_EQ(rights_of("master"), nullptr);
}

}  // namespace
}  // namespace holdfast::sandbox
