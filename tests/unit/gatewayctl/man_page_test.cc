#include "gatewayctl/man_page.h"

#include <gtest/gtest.h>

namespace holdfast::gatewayctl {
namespace {

// What stands behind DESCRIPTION.
std::string body(std::string markdown) {
  const std::string page = man_page({.name = "x", .section = 8, .summary = "y", .body = std::move(markdown)});
  const std::string mark = ".SH DESCRIPTION\n";
  return page.substr(page.find(mark) + mark.size());
}

TEST(ManPage, BeginsWithItsNameAndSummary) {
  const std::string page = man_page(
      {.name = "gateway.yaml", .section = 5, .summary = "the configuration", .synopsis = "`a` [`--b`]", .see_also = "c(8)"});
  EXPECT_TRUE(page.starts_with(".TH GATEWAY.YAML 5 ")) << page;
  EXPECT_NE(page.find(".SH NAME\ngateway.yaml \\- the configuration\n"), page.npos);
  EXPECT_NE(page.find(".SH SYNOPSIS\n.PP\n\\fBa\\fR [\\fB\\-\\-b\\fR]\n"), page.npos);
  EXPECT_TRUE(page.ends_with(".SH SEE ALSO\nc(8)\n"));
}

TEST(ManPage, EscapesWhatGroffTakesForItself) {
  EXPECT_EQ(groff_text("a-b \\n `x` 'y' ~^"), "a\\-b \\en \\(gax\\(ga \\(aqy\\(aq \\(ti\\(ha");
  EXPECT_EQ(groff_text("a – ü €"), "a \\[u2013] \\[u00FC] \\[u20AC]");
  EXPECT_EQ(groff_text("cut \xe2\x82"), "cut ");
  EXPECT_EQ(groff_text("\xff!"), "!");
}

TEST(ManPage, NoTextBecomesARequest) {
  EXPECT_EQ(body(".TH is text"), ".PP\n\\&.TH is text\n");
  EXPECT_EQ(body("'br is text"), ".PP\n\\(aqbr is text\n");
  EXPECT_EQ(body("    .TH is code"), ".PP\n.RS 4\n.EX\n\\&.TH is code\n.EE\n.RE\n");
}

TEST(ManPage, JoinsTheLinesOfAParagraph) {
  EXPECT_EQ(body("one\ntwo\n\nthree"), ".PP\none two\n.PP\nthree\n");
}

TEST(ManPage, HasHeadingsListsAndTables) {
  EXPECT_EQ(body("## Of a-b\n\n### list it\n\n- one\n  more\n- two\n"),
            ".SH OF A\\-B\n.SS list it\n.IP \\(bu 2\none more\n.IP \\(bu 2\ntwo\n");
  EXPECT_EQ(body("| | |\n|---|---|\n| `--x` | this \\| that |\n"), ".TP\n\\fB\\-\\-x\\fR\nthis | that\n");
}

TEST(ManPage, MarksCodeAndKeepsTheTextOfLinks) {
  EXPECT_EQ(body("use `a*` or **b**, see [there](x.md)"), ".PP\nuse \\fBa*\\fR or \\fBb\\fR, see there\n");
  EXPECT_EQ(body("a ` alone [and this"), ".PP\na \\(ga alone [and this\n");
}

TEST(ManPage, BreaksLongLinesBetweenWords) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "word. ";
  const std::string out = body(text + ".end");
  EXPECT_EQ(out.find("\n.e"), out.npos);
  for (std::size_t at = 0, end; at < out.size(); at = end + 1) {
    end = out.find('\n', at);
    EXPECT_LE(end - at, 102U);
  }
}

}  // namespace
}  // namespace holdfast::gatewayctl
