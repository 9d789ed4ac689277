#include "common/policy/entry.h"

#include <gtest/gtest.h>

namespace holdfast::policy {
namespace {

using enum ListKind;
using Form = Entry::Form;

void expect(ListKind kind, std::string_view text, Form form, std::string_view key) {
  const auto entry = parse_entry(kind, text);
  ASSERT_TRUE(entry) << text << ": " << entry.error().text;
  EXPECT_EQ(entry->form, form) << text;
  EXPECT_EQ(entry->key, key) << text;
}

std::string fault(ListKind kind, std::string_view text) {
  const auto entry = parse_entry(kind, text);
  EXPECT_FALSE(entry) << text;
  return entry ? "" : entry.error().text;
}

TEST(Entry, OfClients) {
  const auto network = parse_entry(kClient, "192.0.2.0/24");
  ASSERT_TRUE(network);
  EXPECT_EQ(network->form, Form::kNetwork);
  EXPECT_EQ(network->network.text(), "192.0.2.0/24");
  EXPECT_EQ(parse_entry(kClient, "2001:db8::/32")->network.text(), "2001:db8::/32");
  expect(kClient, "Mail.Example.ORG", Form::kDomain, "mail.example.org");
  expect(kClient, ".example.org", Form::kSubdomains, "example.org");
  expect(kClient, "/^dyn/", Form::kRegex, "^dyn");
}

TEST(Entry, OfHeloNames) {
  expect(kHelo, "[192.0.2.1]", Form::kExact, "[192.0.2.1]");
  expect(kHelo, "[IPv6:2001:DB8::1]", Form::kExact, "[ipv6:2001:db8::1]");
  expect(kHelo, "192.0.2.1", Form::kExact, "192.0.2.1");
  expect(kHelo, "localhost", Form::kDomain, "localhost");
  expect(kHelo, ".example.org", Form::kSubdomains, "example.org");
}

TEST(Entry, OfMailboxes) {
  expect(kSender, "<>", Form::kExact, "");
  expect(kSender, "News@Example.ORG", Form::kExact, "news@example.org");
  expect(kSender, "news@b\xC3\xBC" "cher.example", Form::kExact, "news@xn--bcher-kva.example");
  expect(kRecipient, "abuse@", Form::kLocal, "abuse");
  expect(kRecipient, "example.org", Form::kDomain, "example.org");
  expect(kRecipient, "a@[192.0.2.1]", Form::kExact, "a@[192.0.2.1]");
  expect(kSender, "/@(gmail|googlemail)\\.com$/", Form::kRegex, "@(gmail|googlemail)\\.com$");
}

TEST(Entry, WhatIsNoneSaysWhy) {
  EXPECT_NE(fault(kClient, "10.0.0.1/8").find("those behind it are zero"), std::string::npos);
  EXPECT_NE(fault(kClient, "10.0.0.0/33").find("0 to 32 bits"), std::string::npos);
  EXPECT_NE(fault(kClient, "*.example.org").find(".example.org stands for"), std::string::npos);
  EXPECT_NE(fault(kClient, "a@b").find("neither a network nor a name"), std::string::npos);
  EXPECT_NE(fault(kRecipient, "<>").find("no recipient"), std::string::npos);
  EXPECT_NE(fault(kSender, "@example.org").find("write the domain alone"), std::string::npos);
  EXPECT_NE(fault(kSender, "a b@example.org").find("blank"), std::string::npos);
  EXPECT_NE(fault(kSender, "/a(/").find("at 2"), std::string::npos);
  EXPECT_NE(fault(kSender, "//").find("not empty"), std::string::npos);
  EXPECT_NE(fault(kSender, "/abc").find("ends with '/'"), std::string::npos);
  EXPECT_NE(fault(kSender, "a@b..c").find("no address"), std::string::npos);
  EXPECT_NE(fault(kHelo, "").find("no entry"), std::string::npos);
  EXPECT_NE(fault(kHelo, std::string(600, 'a')).find("too long"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::policy
