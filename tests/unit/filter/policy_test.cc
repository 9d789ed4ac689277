#include "filter/policy.h"

#include <gtest/gtest.h>

namespace holdfast::filter {
namespace {

TEST(Patterns, MatchEndings) {
  const Patterns p({"*.EXE", "*.tar.gz"});
  EXPECT_TRUE(p.match("a.exe"));
  EXPECT_TRUE(p.match("a.pdf.exe"));
  EXPECT_TRUE(p.match("a.b.tar.gz"));
  EXPECT_FALSE(p.match("exe"));
  EXPECT_FALSE(p.match("a.exe.txt"));
  EXPECT_FALSE(p.match("a.gz"));
}

TEST(Patterns, MatchStarsAndQuestionMarks) {
  const Patterns p({"invoice*.p?f", "a*b*c", "exact"});
  EXPECT_TRUE(p.match("invoice-7.pdf"));
  EXPECT_TRUE(p.match("invoice.pif"));
  EXPECT_FALSE(p.match("invoice.pf"));
  EXPECT_TRUE(p.match("abc"));
  EXPECT_TRUE(p.match("a-b-b-c"));
  EXPECT_FALSE(p.match("a-b-c-d"));
  EXPECT_TRUE(p.match("exact"));
  EXPECT_FALSE(p.match("exactly"));
  EXPECT_FALSE(p.match(""));
}

TEST(Patterns, CostNoMoreThanTheirLengths) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(Patterns({pattern + "b"}).match(std::string(4'000, 'a')));
}

TEST(Hosts, StandForAllBelowThem) {
  const Hosts h({"evil.test", "*.bad.test", "B\xC3\x9C" "cher.example", "192.168.1.1"});
  EXPECT_TRUE(h.match("evil.test"));
  EXPECT_TRUE(h.match("www.a.evil.test"));
  EXPECT_FALSE(h.match("notevil.test"));
  EXPECT_FALSE(h.match("test"));
  EXPECT_TRUE(h.match("bad.test"));
  EXPECT_TRUE(h.match("xn--bcher-kva.example"));
  EXPECT_TRUE(h.match("192.168.1.1"));
}

TEST(Policy, HasTheActionOfEachRule) {
  config::ContentFilter settings;
  settings.names.action = "header";
  settings.scripts = "reject";
  const Policy p = Policy::from(settings);
  EXPECT_EQ(p.action(Rule::kName), Action::kHeader);
  EXPECT_EQ(p.action(Rule::kScript), Action::kReject);
  EXPECT_EQ(p.action(Rule::kEncrypted), Action::kQuarantine);
  EXPECT_EQ(p.limits.depth, 5);
}

}  // namespace
}  // namespace holdfast::filter
