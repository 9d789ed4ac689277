#include "import/main_cf.h"

#include <gtest/gtest.h>

namespace holdfast::importer {
namespace {

MainCf cf(std::string_view text) { return MainCf::parse(text).value(); }

TEST(MainCf, ReadsLinesAsPostconf5Says) {
  const auto read = cf("# a comment\n\nrelay_domains = a.test,\n# between\n\tb.test\n  c.test\nmyhostname=mx.test\r\nmyhostname = mx2.test\n");
  EXPECT_EQ(read.value("relay_domains").value(), "a.test, b.test c.test");
  EXPECT_EQ(read.value("myhostname").value(), "mx2.test");
  EXPECT_EQ(read.names(), (std::vector<std::string>{"myhostname", "relay_domains"}));
  EXPECT_FALSE(read.has("mydomain"));
}

TEST(MainCf, SaysWhichLineIsNone) {
  for (const std::string_view text : {"a = b\nnonsense\n", "a = b\ntwo words = c\n", "a = b\n= c\n"}) {
    const auto read = MainCf::parse(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, base::Kind::kData);
    EXPECT_TRUE(read.error().text.starts_with("line 2: ")) << read.error().text;
  }
  EXPECT_FALSE(MainCf::parse("  continues nothing\n"));
}

TEST(MainCf, PutsNamesIn) {
  const auto read = cf("a = x\nb = $a ${a} $(a)/y\nc = ${a?given} ${a:not} ${none?given} ${none:not $a}\nd = $$a $none|\ne = $myorigin\nmyhostname = h\n");
  EXPECT_EQ(read.value("b").value(), "x x x/y");
  EXPECT_EQ(read.value("c").value(), "given   not x");
  EXPECT_EQ(read.value("d").value(), "$a |");
  EXPECT_EQ(read.value("e").value(), "h");
}

TEST(MainCf, RefusesWhatItDoesNotKnow) {
  const auto read = cf("a = ${b}\nb = $a\nc = ${{$x} == {y} ? {1} : {2}}\nd = ${open\ne = ${a?{x}}\n");
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    const auto value = read.value(name);
    ASSERT_FALSE(value) << name;
    EXPECT_EQ(value.error().kind, base::Kind::kData) << name;
  }
}

TEST(MainCf, ListsArePartedByBlanksAndCommas) {
  EXPECT_EQ(postfix_list(" a, b\tc ,,d "), (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(postfix_list("inline:{a=b, c=d} e"), (std::vector<std::string>{"inline:{a=b, c=d}", "e"}));
  EXPECT_TRUE(postfix_list(" , ").empty());
}

}  // namespace
}  // namespace holdfast::importer
