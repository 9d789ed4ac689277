#include "gatewayctl/recipient_files.h"

#include <gtest/gtest.h>

namespace holdfast::gatewayctl {
namespace {

using Addresses = std::vector<std::string>;
constexpr auto kCsv = RecipientFormat::kCsv;
constexpr auto kPostfix = RecipientFormat::kPostfix;

RecipientFile good(std::string_view text, RecipientFormat format, std::string_view column = {}) {
  auto out = parse_recipients(text, format, column);
  EXPECT_TRUE(out) << out.error().text;
  return out ? *out : RecipientFile{};
}

std::string fault(std::string_view text, RecipientFormat format, std::string_view column = {}) {
  const auto out = parse_recipients(text, format, column);
  return out ? "none" : out.error().text;
}

TEST(RecipientFiles, AList) {
  EXPECT_EQ(good("# ours\na@x.example\n\n b@x.example # the boss\r\n", RecipientFormat::kList).addresses,
            (Addresses{"a@x.example", "b@x.example"}));
  EXPECT_EQ(fault("a@x.example\nnot one\n", RecipientFormat::kList), "line 2: 'not one' is not an address");
}

TEST(RecipientFiles, ATableOfPostfix) {
  const auto file = good("# relay_recipients\na@x.example OK\nb@x.example\tanything\n  that goes on\n@y.example x\n"
                         "c@x.example REJECT gone\nd@x.example\r\n", kPostfix);
  EXPECT_EQ(file.addresses, (Addresses{"a@x.example", "b@x.example", "d@x.example"}));
  EXPECT_EQ(file.passed_over, 2u);
  EXPECT_EQ(fault("a@x.example OK\nnobody OK\n", kPostfix), "line 2: 'nobody' is not an address");
}

TEST(RecipientFiles, ACsvFileWithAHead) {
  EXPECT_EQ(good("Name,E-Mail,Phone\nAda,ada@x.example,1\n\"Lovelace, A.\",\"al@x.example\",2\n", kCsv).addresses,
            (Addresses{"ada@x.example", "al@x.example"}));
  EXPECT_EQ(good("\xEF\xBB\xBFmail;name\r\na@x.example;A\r\n", kCsv).addresses, Addresses{"a@x.example"});
}

TEST(RecipientFiles, ExchangesListOfAddressesInOneField) {
  const auto file = good("Name,EmailAddresses\nAda,\"SMTP:ada@x.example;smtp:a@x.example;X500:/o=x/cn=ada;SIP:ada@x.example\"\n", kCsv);
  EXPECT_EQ(file.addresses, (Addresses{"ada@x.example", "a@x.example"}));
  EXPECT_EQ(file.passed_over, 2u);
}

TEST(RecipientFiles, AColumnCanBeNamed) {
  const std::string_view text = "mail,other\na@x.example,b@x.example\n";
  EXPECT_EQ(good(text, kCsv, "OTHER").addresses, Addresses{"b@x.example"});
  EXPECT_EQ(good(text, kCsv, "2").addresses, Addresses{"b@x.example"});
  EXPECT_EQ(fault(text, kCsv, "phone"), "line 1: there is no column 'phone'");
}

TEST(RecipientFiles, WithoutAHeadEachFieldThatIsAnAddressCounts) {
  const auto file = good("Ada,ada@x.example,7\nBob,bob@x.example\n", kCsv);
  EXPECT_EQ(file.addresses, (Addresses{"ada@x.example", "bob@x.example"}));
  EXPECT_EQ(file.passed_over, 0u);
}

TEST(RecipientFiles, QuotesInAField) {
  EXPECT_EQ(good("mail,note\na@x.example,\"she said \"\"no\"\"\nand went\"\nb@x.example,\n", kCsv).addresses,
            (Addresses{"a@x.example", "b@x.example"}));
  EXPECT_EQ(fault("mail\n\"a@x.example\n", kCsv), "line 2: a quote that does not end");
}

TEST(RecipientFiles, EmptyOnesHoldNobody) {
  for (const auto format : {RecipientFormat::kList, kCsv, kPostfix}) EXPECT_TRUE(good("", format).addresses.empty());
  EXPECT_TRUE(good("mail\n", kCsv).addresses.empty());
}

}  // namespace
}  // namespace holdfast::gatewayctl
