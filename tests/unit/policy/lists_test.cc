#include "common/policy/lists.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace holdfast::policy {
namespace {

using enum ListKind;

class ListsTest : public ::testing::Test {
 protected:
  void add(ListKind kind, bool allow, std::string_view text) {
    auto entry = parse_entry(kind, text);
    ASSERT_TRUE(entry) << text;
    lists.add(kind, allow, std::move(*entry), {.file = 0, .line = ++line});
  }
  std::string judge() {
    const auto match = lists.judge({.client = *base::IpAddress::parse(client), .name = name, .helo = helo, .sender = sender, .recipient = recipient, .recipient_key = key});
    if (!match) return "-";
    return fmt::format("{} {} {} {}", match->allow ? "allow" : "block", to_text(match->kind), match->entry, match->place);
  }

  Lists lists;
  std::uint32_t file = lists.add_file("lists.txt"), line = 0;
  std::string client = "192.0.2.7", name = "mx.sender.example", helo = "mx.sender.example", sender = "Ann@Sender.example";
  std::string recipient = "Bob+x@example.test", key = "bob@example.test";
};

TEST_F(ListsTest, NothingIsInEmptyLists) {
  EXPECT_TRUE(lists.empty());
  EXPECT_EQ(judge(), "-");
}

TEST_F(ListsTest, ClientsByNetworkTheNarrowestIsNamed) {
  add(kClient, false, "192.0.0.0/16");
  add(kClient, false, "192.0.2.0/24");
  EXPECT_EQ(judge(), "block client 192.0.2.0/24 lists.txt:2");
  client = "192.0.3.1";
  EXPECT_EQ(judge(), "block client 192.0.0.0/16 lists.txt:1");
  client = "192.1.3.1";
  EXPECT_EQ(judge(), "-");
}

TEST_F(ListsTest, ClientsByIpv6AndWhatHasEverything) {
  add(kClient, false, "2001:db8::/33");
  client = "2001:db8:7fff::1";
  EXPECT_EQ(judge(), "block client 2001:db8::/33 lists.txt:1");
  client = "2001:db8:8000::1";
  EXPECT_EQ(judge(), "-");
  add(kClient, false, "0.0.0.0/0");
  client = "198.51.100.1";
  EXPECT_EQ(judge(), "block client 0.0.0.0/0 lists.txt:2");
  client = "2001:db8:8000::1";
  EXPECT_EQ(judge(), "-") << "that is all of IPv4 only";
}

TEST_F(ListsTest, ClientsByName) {
  add(kClient, false, "sender.example");
  EXPECT_EQ(judge(), "-") << "the domain itself, nothing below";
  add(kClient, false, ".sender.example");
  EXPECT_EQ(judge(), "block client .sender.example lists.txt:2");
  name = "sender.example";
  EXPECT_EQ(judge(), "block client sender.example lists.txt:1");
  name = "othersender.example";
  EXPECT_EQ(judge(), "-");
  name = "";
  EXPECT_EQ(judge(), "-");
}

TEST_F(ListsTest, RegularExpressionsOfClientsSeeNameAndAddress) {
  add(kClient, false, "/^192\\.0\\.2\\./");
  EXPECT_EQ(judge(), "block client /^192\\.0\\.2\\./ lists.txt:1");
  client = "198.51.100.1";
  add(kClient, false, "/^MX\\./");
  EXPECT_EQ(judge(), "block client /^MX\\./ lists.txt:2");
}

TEST_F(ListsTest, AllowWinsOverBlockOfItsKindAndEndsAll) {
  add(kClient, false, "0.0.0.0/0");
  add(kClient, true, "192.0.2.7");
  add(kSender, false, "ann@sender.example");
  EXPECT_EQ(judge(), "allow client 192.0.2.7 lists.txt:2") << "not even the sender's list is asked";
}

TEST_F(ListsTest, TheFirstKindThatKnowsDecides) {
  add(kRecipient, true, "bob@example.test");
  add(kSender, false, "ann@sender.example");
  add(kHelo, false, "mx.sender.example");
  EXPECT_EQ(judge(), "block helo mx.sender.example lists.txt:3");
  helo = "other";
  EXPECT_EQ(judge(), "block sender ann@sender.example lists.txt:2");
  sender = "";
  EXPECT_EQ(judge(), "allow recipient bob@example.test lists.txt:1") << "without the extension";
}

TEST_F(ListsTest, Senders) {
  add(kSender, false, "<>");
  EXPECT_EQ(judge(), "-");
  sender = "";
  EXPECT_EQ(judge(), "block sender <> lists.txt:1");
  add(kSender, false, "news@");
  sender = "NEWS@anywhere.example";
  EXPECT_EQ(judge(), "block sender news@ lists.txt:2");
  add(kSender, false, ".b\xC3\xBC" "cher.example");
  sender = "x@shop.B\xC3\xBC" "cher.example";
  EXPECT_EQ(judge(), "block sender .xn--bcher-kva.example lists.txt:3");
}

TEST_F(ListsTest, HeloNames) {
  add(kHelo, false, "[192.0.2.7]");
  helo = "[192.0.2.7]";
  EXPECT_EQ(judge(), "block helo [192.0.2.7] lists.txt:1");
  add(kHelo, false, "/^(local)?host$/");
  helo = "LOCALHOST";
  EXPECT_EQ(judge(), "block helo /^(local)?host$/ lists.txt:2");
}

TEST_F(ListsTest, AllThatASubjectIsFoundBy) {
  add(kClient, true, "192.0.2.7");
  add(kClient, false, "192.0.2.0/24");
  add(kSender, false, "sender.example");
  EXPECT_EQ(lists.client_matches(base::IpAddress::parse("192.0.2.7"), "").size(), 2u);
  EXPECT_EQ(lists.client_matches(std::nullopt, "mx.example").size(), 0u);
  const auto found = lists.matches(kSender, "Ann@SENDER.example");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].place, "lists.txt:3");
}

TEST_F(ListsTest, OfTheSameEntryTwiceTheFirstIsNamed) {
  add(kSender, false, "ann@sender.example");
  add(kSender, false, "ann@sender.example");
  EXPECT_EQ(judge(), "block sender ann@sender.example lists.txt:1");
}

TEST_F(ListsTest, WordsOfARefusalAreAsPostfixHasThem) {
  const Visit visit{.client = *base::IpAddress::parse(client), .name = name, .helo = helo, .sender = sender, .recipient = recipient};
  EXPECT_EQ(refusal_text(kClient, visit), "<mx.sender.example[192.0.2.7]>: Client host rejected: Access denied");
  EXPECT_EQ(refusal_text(kHelo, visit), "<mx.sender.example>: Helo command rejected: Access denied");
  EXPECT_EQ(refusal_text(kSender, visit), "<Ann@Sender.example>: Sender address rejected: Access denied");
  EXPECT_EQ(refusal_text(kRecipient, visit), "<Bob+x@example.test>: Recipient address rejected: Access denied");
}

}  // namespace
}  // namespace holdfast::policy
