#include "common/dns/tlsa.h"

#include <gtest/gtest.h>

#include "common/dns/mail_route.h"

namespace holdfast::dns {
namespace {

using Rule = Dane::Rule;

Tlsa record(int usage, int selector, int matching, std::size_t size) {
  return {static_cast<std::uint8_t>(usage), static_cast<std::uint8_t>(selector), static_cast<std::uint8_t>(matching),
          std::string(size, 'x')};
}

TEST(Tlsa, IsReadAsItIsInAPacket) {
  const auto read = read_tlsa(std::string_view("\3\1\2abc", 6));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (Tlsa{3, 1, 2, "abc"}));
  EXPECT_TRUE(read_tlsa(std::string_view("\3\1\2", 3))) << "without data: a record, if not a usable one";
  EXPECT_FALSE(read_tlsa("ab"));
  EXPECT_FALSE(read_tlsa(""));
}

TEST(Tlsa, UsableAreThoseOfRfc7672) {
  for (const int usage : {2, 3}) {
    for (const int selector : {0, 1}) {
      EXPECT_TRUE(usable(record(usage, selector, 0, 1)));
      EXPECT_TRUE(usable(record(usage, selector, 1, 32)));
      EXPECT_TRUE(usable(record(usage, selector, 2, 64)));
    }
  }
  for (const auto& bad : {record(0, 0, 1, 32), record(1, 1, 1, 32), record(4, 1, 1, 32), record(255, 1, 1, 32),
                          record(3, 2, 1, 32), record(3, 1, 3, 32), record(3, 1, 1, 31), record(3, 1, 1, 33),
                          record(3, 1, 2, 32), record(3, 1, 0, 0)}) {
    EXPECT_FALSE(usable(bad)) << int{bad.usage} << int{bad.selector} << int{bad.matching} << " " << bad.data.size();
  }
}

TEST(Tlsa, Name) { EXPECT_EQ(tlsa_name("mx.example.org", 25), "_25._tcp.mx.example.org"); }

Dane dane(Status status, bool secure, std::vector<Tlsa> found = {}) {
  return dane_of({.status = status, .found = std::move(found), .why = "why", .secure = secure}, "mx.test");
}

TEST(DaneRule, FollowsTheAnswer) {
  const auto good = record(3, 1, 1, 32), bad = record(1, 1, 1, 32);
  const Dane verify = dane(Status::kFound, true, {bad, good});
  EXPECT_EQ(verify.rule, Rule::kVerify);
  EXPECT_EQ(verify.records, std::vector{good});
  EXPECT_EQ(verify.base, "mx.test");
  EXPECT_EQ(dane(Status::kFound, true, {bad}).rule, Rule::kEncrypt);
  EXPECT_EQ(dane(Status::kFound, false, {good}).rule, Rule::kNone) << "nobody vouches for it";
  EXPECT_EQ(dane(Status::kNothing, true).rule, Rule::kNone);
  EXPECT_EQ(dane(Status::kNoName, true).rule, Rule::kNone);
  EXPECT_EQ(dane(Status::kFailed, false).rule, Rule::kUnknown);
  EXPECT_EQ(dane(Status::kFailed, false).why, "why");
}

LookedUp host(std::uint16_t preference, const std::string& name, const std::string& ip, Rule rule) {
  LookedUp out{{preference, name}, {.status = Status::kFound}, {.rule = rule, .why = "bogus"}};
  out.addresses.found.push_back(*net::SocketAddress::ip(ip, 25));
  return out;
}

TEST(DaneRule, AServerOfWhichNobodyCanSayIsLeftOut) {
  const auto servers = servers_to_try(
      "d.test", {host(10, "a", "192.0.2.1", Rule::kUnknown), host(20, "b", "192.0.2.2", Rule::kVerify)}, {});
  ASSERT_TRUE(servers);
  ASSERT_EQ(servers->size(), 1U);
  EXPECT_EQ((*servers)[0].host, "b");
  EXPECT_EQ((*servers)[0].dane.rule, Rule::kVerify);
}

TEST(DaneRule, WithNoOtherItIsATemporaryFailure) {
  const auto servers = servers_to_try("d.test", {host(10, "a", "192.0.2.1", Rule::kUnknown)}, {});
  ASSERT_FALSE(servers);
  EXPECT_FALSE(servers.error().final);
  EXPECT_EQ(servers.error().dsn, "4.4.3");
  EXPECT_NE(servers.error().text.find("TLSA of a: bogus"), std::string::npos);
}

// Leaving it out first would make those behind us look better than they are.
TEST(DaneRule, ItStillStandsBeforeUs) {
  const Ourselves us{.names = {}, .listens_on = [](const net::SocketAddress& a) { return a.host() == "192.0.2.2"; }};
  const auto servers = servers_to_try("d.test",
                                      {host(10, "a", "192.0.2.1", Rule::kUnknown), host(20, "us", "192.0.2.2", Rule::kUnknown),
                                       host(30, "b", "192.0.2.3", Rule::kNone)}, us);
  ASSERT_FALSE(servers);
  EXPECT_FALSE(servers.error().final);
}

}  // namespace
}  // namespace holdfast::dns
