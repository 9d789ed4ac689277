#include "common/policy/regex.h"

#include <gtest/gtest.h>

namespace holdfast::policy {
namespace {

TEST(Regex, SearchesWithoutRegardToCase) {
  const auto regex = Regex::compile("^dyn[0-9]+\\.");
  ASSERT_TRUE(regex);
  EXPECT_EQ(regex->search("DYN17.example.org"), Regex::Found::kYes);
  EXPECT_EQ(regex->search("mail.example.org"), Regex::Found::kNo);
  EXPECT_EQ(regex->search(""), Regex::Found::kNo);
}

TEST(Regex, SaysWhereItIsWrong) {
  const auto regex = Regex::compile("a(b");
  ASSERT_FALSE(regex);
  EXPECT_EQ(regex.error().kind, base::Kind::kConfig);
  EXPECT_NE(regex.error().text.find("'/a(b/' at 3"), std::string::npos) << regex.error().text;
  EXPECT_FALSE(Regex::compile(std::string(Regex::kLongest + 1, 'a')));
}

// Without a bound this takes longer than anybody waits.
TEST(Regex, GivesUpWhatWouldTakeForEver) {
  const auto regex = Regex::compile("^(a|aa)+$");
  ASSERT_TRUE(regex);
  EXPECT_EQ(regex->search(std::string(300, 'a') + "x"), Regex::Found::kGaveUp);
  EXPECT_EQ(regex->search("aaa"), Regex::Found::kYes) << "and is of use afterwards";
}

TEST(Regex, DeepNestingIsBounded) {
  const auto regex = Regex::compile("^(?:(a|(?R))*)$");
  if (!regex) return;  // a PCRE2 that refuses it at once
  EXPECT_NE(regex->search(std::string(5000, 'a') + "!"), Regex::Found::kYes);
}

}  // namespace
}  // namespace holdfast::policy
