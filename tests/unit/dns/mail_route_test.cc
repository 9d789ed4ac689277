#include "common/dns/mail_route.h"

#include <set>

#include <gtest/gtest.h>

namespace holdfast::dns {
namespace {

std::mt19937 seeded(unsigned seed = 1) { return std::mt19937(seed); }

Answer<Mx> found(std::vector<Mx> list) { return {.status = Status::kFound, .found = std::move(list)}; }

net::SocketAddress at(const std::string& ip) { return *net::SocketAddress::ip(ip, 25); }

LookedUp host(std::uint16_t preference, std::string name, std::vector<std::string> ips) {
  LookedUp out{{preference, std::move(name)}, {.status = ips.empty() ? Status::kNothing : Status::kFound}};
  for (const auto& ip : ips) out.addresses.found.push_back(at(ip));
  return out;
}

std::vector<std::string> names(const std::vector<Mx>& list) {
  std::vector<std::string> out;
  for (const auto& mx : list) out.push_back(mx.host);
  return out;
}

std::vector<std::string> texts(const std::vector<MailServer>& list) {
  std::vector<std::string> out;
  for (const auto& server : list) out.push_back(server.host + " " + server.address.host());
  return out;
}

using Texts = std::vector<std::string>;

TEST(HostsToTry, InOrderOfPreference) {
  auto chance = seeded();
  const auto hosts = hosts_to_try("d.test", found({{30, "c"}, {10, "a"}, {20, "b"}}), {}, chance);
  ASSERT_TRUE(hosts);
  EXPECT_EQ(names(*hosts), (Texts{"a", "b", "c"}));
}

TEST(HostsToTry, EqualsInRandomOrder) {
  std::set<Texts> seen;
  for (unsigned seed = 0; seed < 64; ++seed) {
    auto chance = seeded(seed);
    const auto hosts = hosts_to_try("d.test", found({{10, "a"}, {10, "b"}, {10, "c"}, {5, "first"}}), {}, chance);
    ASSERT_EQ(hosts->front().host, "first");
    seen.insert(names(*hosts));
  }
  EXPECT_EQ(seen.size(), 6u);
}

TEST(HostsToTry, WithoutMxTheDomainItself) {
  auto chance = seeded();
  const auto hosts = hosts_to_try("d.test", {.status = Status::kNothing}, {}, chance);
  EXPECT_EQ(*hosts, (std::vector<Mx>{{0, "d.test"}}));
}

TEST(HostsToTry, NoSuchDomainIsFinal) {
  auto chance = seeded();
  EXPECT_EQ(hosts_to_try("d.test", {.status = Status::kNoName}, {}, chance).error(),
            (Refusal{true, "5.1.2", "the domain d.test does not exist"}));
}

TEST(HostsToTry, AFailureIsTemporary) {
  auto chance = seeded();
  EXPECT_EQ(hosts_to_try("d.test", {.status = Status::kFailed, .why = "no answer in time"}, {}, chance).error(),
            (Refusal{false, "4.4.3", "looking up the mail servers of d.test failed: no answer in time"}));
}

TEST(HostsToTry, NullMxIsFinal) {
  auto chance = seeded();
  EXPECT_EQ(hosts_to_try("d.test", found({{0, ""}}), {}, chance).error(),
            (Refusal{true, "5.1.10", "the domain d.test takes no mail (null MX)"}));
}

TEST(HostsToTry, ANullMxAmongOthersIsNone) {  // RFC 7505 section 3: it must stand alone
  auto chance = seeded();
  EXPECT_EQ(names(*hosts_to_try("d.test", found({{0, ""}, {10, "a"}}), {}, chance)), (Texts{"a"}));
}

TEST(HostsToTry, OurselvesAndAllNotPreferredToUsAreLeftOut) {
  const Ourselves we{.names = {"MX.we.test"}};
  auto chance = seeded();
  const auto hosts = hosts_to_try("d.test", found({{10, "a"}, {20, "mx.we.test"}, {20, "b"}, {30, "c"}}), we, chance);
  EXPECT_EQ(names(*hosts), (Texts{"a"}));
}

TEST(HostsToTry, WhenWeAreTheMostPreferredMailLoops) {
  const Ourselves we{.names = {"mx.we.test"}};
  auto chance = seeded();
  EXPECT_EQ(hosts_to_try("d.test", found({{10, "mx.we.test"}, {20, "b"}}), we, chance).error().dsn, "5.4.6");
  EXPECT_EQ(hosts_to_try("mx.we.test", {.status = Status::kNothing}, we, chance).error().dsn, "5.4.6");
}

TEST(HostsToTry, BoundedHoweverManyThereAre) {
  std::vector<Mx> many;
  for (int i = 0; i < 5000; ++i) many.push_back({static_cast<std::uint16_t>(i), "mx" + std::to_string(i)});
  auto chance = seeded();
  const auto hosts = hosts_to_try("d.test", found(many), {}, chance);
  ASSERT_EQ(hosts->size(), kMostHosts);
  EXPECT_EQ(hosts->back().host, "mx7");
}

TEST(ServersToTry, AddressesInTheOrderOfTheirHosts) {
  const auto servers = servers_to_try("d.test", {host(10, "a", {"192.0.2.1", "2001:db8::1"}), host(20, "b", {"192.0.2.2"})}, {});
  EXPECT_EQ(texts(*servers), (Texts{"a 192.0.2.1", "a 2001:db8::1", "b 192.0.2.2"}));
}

TEST(ServersToTry, AHostWithoutAddressIsPassedOver) {
  const auto servers = servers_to_try("d.test", {host(10, "a", {}), host(20, "b", {"192.0.2.2"})}, {});
  EXPECT_EQ(texts(*servers), (Texts{"b 192.0.2.2"}));
}

TEST(ServersToTry, AnAddressWeListenOnEndsTheList) {
  const Ourselves we{.listens_on = [](const net::SocketAddress& a) { return a == at("192.0.2.9"); }};
  const auto servers = servers_to_try(
      "d.test", {host(10, "a", {"192.0.2.1"}), host(20, "us", {"192.0.2.9", "192.0.2.8"}), host(30, "c", {"192.0.2.3"})}, we);
  EXPECT_EQ(texts(*servers), (Texts{"a 192.0.2.1"}));
  EXPECT_EQ(servers_to_try("d.test", {host(10, "us", {"192.0.2.9"}), host(30, "c", {"192.0.2.3"})}, we).error().dsn, "5.4.6");
}

TEST(ServersToTry, NobodysAddressesAreLeftOut) {
  const auto servers = servers_to_try(
      "d.test", {host(10, "a", {"0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "192.0.2.1"})}, {});
  EXPECT_EQ(texts(*servers), (Texts{"a 192.0.2.1"}));
}

TEST(ServersToTry, BoundedAHostAndInAll) {
  std::vector<LookedUp> hosts;
  for (int i = 0; i < 5; ++i) {
    std::vector<std::string> ips;
    for (int k = 1; k < 100; ++k) ips.push_back("192.0." + std::to_string(i) + "." + std::to_string(k));
    hosts.push_back(host(10, "mx" + std::to_string(i), ips));
  }
  const auto servers = servers_to_try("d.test", hosts, {});
  ASSERT_EQ(servers->size(), kMostServers);
  EXPECT_EQ((*servers)[kMostAddressesOfHost].host, "mx1");
}

TEST(ServersToTry, OneFailedLookupMakesItTemporary) {
  LookedUp failed{{20, "b"}, {.status = Status::kFailed, .why = "no answer in time"}};
  EXPECT_EQ(servers_to_try("d.test", {host(10, "a", {}), failed}, {}).error(),
            (Refusal{false, "4.4.3", "looking up the mail servers of d.test failed: b: no answer in time"}));
  EXPECT_EQ(texts(*servers_to_try("d.test", {failed, host(30, "c", {"192.0.2.3"})}, {})), (Texts{"c 192.0.2.3"}));
}

TEST(ServersToTry, NoAddressAtAllIsFinal) {
  EXPECT_EQ(servers_to_try("d.test", {host(10, "a", {}), host(20, "b", {})}, {}).error().dsn, "5.4.4");
  EXPECT_EQ(servers_to_try("d.test", {host(0, "d.test", {})}, {}).error(),
            (Refusal{true, "5.1.2", "the domain d.test has neither mail servers nor an address"}));
  LookedUp none{{0, "d.test"}, {.status = Status::kNoName}};
  EXPECT_EQ(servers_to_try("d.test", {none}, {}).error(), (Refusal{true, "5.1.2", "the domain d.test does not exist"}));
}

}  // namespace
}  // namespace holdfast::dns
