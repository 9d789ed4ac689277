#include "smtpd/envelope_changes.h"

#include <gtest/gtest.h>

namespace holdfast::smtpd {
namespace {

struct Envelope {
  std::string sender = "a@client.test";
  std::vector<mail::Recipient> recipients{{.address = "one@example.test", .orcpt = {}, .notify = "SUCCESS"},
                                          {.address = "two@example.test", .orcpt = {}, .notify = {}}};
  std::vector<std::string> left_out;

  std::vector<std::string> addresses() const {
    std::vector<std::string> out;
    for (const auto& recipient : recipients) out.push_back(recipient.address);
    return out;
  }
};

Envelope changed(const filtering::EnvelopeChanges& changes, bool utf8 = false) {
  config::Config config;
  for (const auto* name : {"example.test", "same.test", "xn--bcher-kva.test"}) {
    config.domains[name] = {.name = name, .destination = "office"};
  }
  config.domains["other.test"] = {.name = "other.test", .destination = "branch"};
  Envelope out;
  out.left_out = change_envelope(changes, config, "office", utf8, out.sender, out.recipients);
  return out;
}

using List = std::vector<std::string>;

TEST(EnvelopeChanges, NothingWantedIsNothingChanged) {
  const auto same = changed({});
  EXPECT_EQ(same.sender, "a@client.test");
  EXPECT_EQ(same.addresses(), (List{"one@example.test", "two@example.test"}));
  EXPECT_EQ(same.recipients[0].notify, "SUCCESS");
  EXPECT_TRUE(same.left_out.empty());
}

TEST(EnvelopeChanges, TheSenderIsAnAddressOrNobody) {
  EXPECT_EQ(changed({.sender = "new@client.test"}).sender, "new@client.test");
  EXPECT_EQ(changed({.sender = ""}).sender, "");
  for (const std::string bad : {"a b@client.test", "a@client.test> SIZE=1\r\nDATA", "nobody", "\xc3\xa4@client.test"}) {
    const auto kept = changed({.sender = bad});
    EXPECT_EQ(kept.sender, "a@client.test") << bad;
    ASSERT_EQ(kept.left_out.size(), 1U);
    EXPECT_EQ(kept.left_out[0].find_first_of("\r\n"), std::string::npos);
  }
  EXPECT_EQ(changed({.sender = "\xc3\xa4@client.test"}, true).sender, "\xc3\xa4@client.test");
}

TEST(EnvelopeChanges, RecipientsAreDeletedInAnyCase) {
  EXPECT_EQ(changed({.deleted = {"ONE@example.test", "nobody@example.test"}}).addresses(), List{"two@example.test"});
  EXPECT_TRUE(changed({.deleted = {"one@example.test", "two@example.test"}}).recipients.empty());
}

TEST(EnvelopeChanges, AddedOnesAreOfTheSameDestination) {
  const auto more = changed({.added = {{"new@Same.TEST", ""}, {"one@example.test", ""}, {"x@b\xc3\xbc" "cher.test", ""}}}, true);
  EXPECT_EQ(more.addresses(), (List{"one@example.test", "two@example.test", "new@Same.TEST", "x@b\xc3\xbc" "cher.test"}));
  EXPECT_EQ(more.recipients[2].notify, "NEVER");
  EXPECT_TRUE(more.left_out.empty());
  for (const std::string bad : {"him@other.test", "him@elsewhere.test", "nobody", "x\r\nQUIT@example.test", "", "<>"}) {
    const auto none = changed({.added = {{bad, ""}}});
    EXPECT_EQ(none.recipients.size(), 2U) << bad;
    EXPECT_EQ(none.left_out.size(), 1U) << bad;
  }
}

TEST(EnvelopeChanges, OneThatIsDeletedMayComeAgain) {
  EXPECT_EQ(changed({.added = {{"one@example.test", ""}}, .deleted = {"one@example.test"}}).addresses(),
            (List{"two@example.test", "one@example.test"}));
}

}  // namespace
}  // namespace holdfast::smtpd
