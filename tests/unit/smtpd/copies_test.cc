#include "smtpd/copies.h"

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

struct Case {
  config::Config config;
  mail::Envelope original;

  Case() {
    config.recipient_delimiter = "+";
    for (const auto* name : {"example.test", "branch.test"}) config.domains[name] = {.name = name, .destination = name};
    config.copies = {{"ceo@example.test", "Boss@elsewhere.test"}, {"cfo@example.test", "boss@Elsewhere.test"}, {"cto@example.test", "cto@branch.test"}};
    original.sender = "a@client.test";
    original.destination = "example.test";
    original.unfiltered = true;
    original.message_id = "<1@client.test>";
    original.ret = "FULL";
    original.envid = "e1";
    to({"other@example.test", "CEO+news@example.test"});
  }
  void to(const std::vector<std::string>& recipients) {
    original.recipients.clear();
    for (const auto& one : recipients) original.recipients.push_back({.address = one, .orcpt = "rfc822;x@y.test", .notify = "SUCCESS"});
  }
  std::vector<mail::Envelope> made() const { return copies_of(config, original); }
};

TEST(Copies, GoToTheOtherMailbox) {
  const auto made = Case().made();
  ASSERT_EQ(made.size(), 1u);
  const auto& copy = made[0];
  EXPECT_EQ(copy.sender, "ceo@example.test") << "not what the client made of it";
  EXPECT_EQ(copy.recipients, (std::vector<mail::Recipient>{{.address = "Boss@elsewhere.test", .orcpt = "", .notify = "NEVER", .known = false}}));
  EXPECT_EQ(copy.destination, config::kBounces);
  EXPECT_FALSE(copy.unfiltered) << "nobody asks filters about it any more";
  EXPECT_EQ(copy.ret + copy.envid, "");
  EXPECT_EQ(copy.message_id, "<1@client.test>");
}

// His own spelling would ask more of the road than the copy does, and let strangers write our envelope sender.
TEST(Copies, TheSenderIsSpeltAsInTheConfiguration) {
  Case c;
  c.config.domains["xn--bcher-kva.test"] = {.name = "xn--bcher-kva.test", .destination = "example.test"};
  c.config.copies["boss@xn--bcher-kva.test"] = "boss@elsewhere.test";
  for (const auto* spelt : {"Boss@b\u00fccher.test", "\"boss\"@xn--bcher-kva.test", "boss+x=y@xn--bcher-kva.test"}) {
    c.to({spelt});
    const auto made = c.made();
    ASSERT_EQ(made.size(), 1u) << spelt;
    EXPECT_EQ(made[0].sender, "boss@xn--bcher-kva.test") << spelt;
  }
}

TEST(Copies, OneForEachMailbox) {
  Case c;
  c.to({"ceo@example.test", "cfo@example.test", "cto@example.test", "ceo@example.test"});
  const auto made = c.made();
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(made[0].recipients[0].address, "Boss@elsewhere.test");
  EXPECT_EQ(made[1].recipients[0].address, "cto@branch.test");
  EXPECT_EQ(made[1].destination, "branch.test");
  EXPECT_TRUE(made[1].unfiltered) << "it is put through the filters of that domain";
}

TEST(Copies, NobodyElseHasThem) {
  Case c;
  c.to({"other@example.test"});
  EXPECT_TRUE(c.made().empty());
  c.to({"ceo@example.test", "BOSS@elsewhere.test"});
  EXPECT_TRUE(c.made().empty()) << "he gets it anyway";
  c.to({"ceo@example.test"});
  EXPECT_EQ(c.made().size(), 1u);
  c.original.sender.clear();
  EXPECT_TRUE(c.made().empty()) << "a bounce, maybe of a copy";
  c = Case();
  c.original.hold = "quarantine";
  EXPECT_TRUE(c.made().empty());
  c = Case();
  c.config.copies.clear();
  EXPECT_TRUE(c.made().empty());
}

TEST(Copies, HaveAMark) { EXPECT_EQ(copy_mark("1A"), "X-Holdfast-Copy-Of: 1A\r\n"); }

}  // namespace
}  // namespace holdfast::smtpd
