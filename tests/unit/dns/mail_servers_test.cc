// MX and addresses, asked of a real name server (nsd) on loopback.
#include "common/dns/mail_servers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/dns/name_server.h"

namespace holdfast::dns {
namespace {

constexpr std::string_view kRecords = R"(@ IN MX 20 backup
@ 120 IN MX 10 first
@ IN MX 30 nowhere
first IN A 192.0.2.1
first 60 IN AAAA 2001:db8::1
backup IN A 192.0.2.2
sub IN A 192.0.2.7
alias IN CNAME real
real IN MX 5 host
host IN CNAME box
box IN A 192.0.2.8
none IN MX 0 .
bare IN TXT hello
gone IN MX 5 nowhere
*.many IN MX 10 backup
)";

using Route = std::expected<MailRoute, Refusal>;

class MailServersTest : public testing::Test {
 protected:
  std::shared_ptr<Resolver> resolver(const net::SocketAddress& server, net::Millis timeout = net::Millis{10'000}) {
    return std::make_shared<Resolver>(loop_, ResolverOptions{.servers = {server}, .timeout = timeout});
  }

  Route find(const std::shared_ptr<Resolver>& asked, const std::string& domain, Ourselves we = {}) {
    std::optional<Route> found;
    {
      MailServers servers(asked, std::move(we), 25);
      servers.find(loop_, domain, [&](Route route) {
        found = std::move(route);
        loop_.stop();
      });
      EXPECT_FALSE(found) << "called back inside find()";
    }
    loop_.run();
    return *found;
  }

  Route find(const std::string& domain, Ourselves we = {}) {
    return find(resolver(server_->address()), domain, std::move(we));
  }

  static std::vector<std::string> texts(const Route& route) {
    std::vector<std::string> out;
    if (!route) return {route.error().dsn + " " + route.error().text};
    for (const auto& server : route->servers) out.push_back(server.host + " " + server.address.text());
    return out;
  }

  static void SetUpTestSuite() { server_ = std::make_unique<NameServer>(kRecords); }
  static void TearDownTestSuite() { server_.reset(); }

  static inline std::unique_ptr<NameServer> server_;
  net::Loop loop_;
};

using Texts = std::vector<std::string>;

TEST_F(MailServersTest, ByMx) {
  const auto route = find("Mail.Test");
  EXPECT_EQ(texts(route), (Texts{"first.mail.test 192.0.2.1:25", "first.mail.test [2001:db8::1]:25",
                                 "backup.mail.test 192.0.2.2:25"}));
  ASSERT_TRUE(route);
  EXPECT_LE(route->ttl, base::Seconds{60});
  EXPECT_GE(route->ttl, base::Seconds{30});
}

TEST_F(MailServersTest, WithoutMxByItsOwnAddress) {
  EXPECT_EQ(texts(find("sub.mail.test")), (Texts{"sub.mail.test 192.0.2.7:25"}));
}

TEST_F(MailServersTest, ThroughAnAlias) {
  EXPECT_EQ(texts(find("alias.mail.test")), (Texts{"host.mail.test 192.0.2.8:25"}));
}

TEST_F(MailServersTest, NullMx) {
  EXPECT_EQ(texts(find("none.mail.test")), (Texts{"5.1.10 the domain none.mail.test takes no mail (null MX)"}));
}

TEST_F(MailServersTest, NoSuchDomain) {
  EXPECT_EQ(texts(find("nobody.mail.test")), (Texts{"5.1.2 the domain nobody.mail.test does not exist"}));
}

TEST_F(MailServersTest, NeitherMxNorAddress) {
  EXPECT_EQ(texts(find("bare.mail.test")),
            (Texts{"5.1.2 the domain bare.mail.test has neither mail servers nor an address"}));
}

TEST_F(MailServersTest, MxWithoutAddress) {
  EXPECT_EQ(texts(find("gone.mail.test")), (Texts{"5.4.4 none of the mail servers of gone.mail.test has an address"}));
}

TEST_F(MailServersTest, OurselvesByNameAndByAddress) {
  const Ourselves by_name{.names = {"first.mail.test"}};
  const Ourselves by_address{.listens_on = [](const net::SocketAddress& a) { return a.text() == "192.0.2.2:25"; }};
  EXPECT_EQ(find("mail.test", by_name).error().dsn, "5.4.6");
  EXPECT_EQ(texts(find("mail.test", by_address)),
            (Texts{"first.mail.test 192.0.2.1:25", "first.mail.test [2001:db8::1]:25"}));
}

TEST_F(MailServersTest, AnAnswerOverTcp) {  // more than a UDP packet holds
  std::string records;
  for (int i = 1; i <= 200; ++i) {
    records += fmt::format("@ IN MX {0} a-host-of-a-rather-long-name-{0}\na-host-of-a-rather-long-name-{0} IN A 192.0.2.{0}\n", i);
  }
  const NameServer server(records);
  const auto route = find(resolver(server.address()), "mail.test");
  ASSERT_TRUE(route) << route.error().text;
  EXPECT_EQ(route->servers.size(), kMostHosts);
  EXPECT_EQ(route->servers.front().address.text(), "192.0.2.1:25");
}

TEST_F(MailServersTest, RefusedByTheNameServerIsTemporary) {  // it serves another zone
  const auto route = find("elsewhere.example");
  ASSERT_FALSE(route);
  EXPECT_FALSE(route.error().final);
  EXPECT_EQ(route.error().dsn, "4.4.3");
}

TEST_F(MailServersTest, NoAnswerIsTemporaryAndInTime) {
  const SilentServer silent;
  const auto begin = base::mono_now();
  const auto route = find(resolver(silent.address(), net::Millis{300}), "mail.test");
  EXPECT_EQ(texts(route), (Texts{"4.4.3 looking up the mail servers of mail.test failed: no answer in time"}));
  EXPECT_FALSE(route.error().final);
  EXPECT_LT(base::mono_now() - begin, base::Seconds{2});
}

TEST_F(MailServersTest, AnswersAreRememberedForTheirTtl) {
  NameServer server("@ IN MX 10 first\nfirst IN A 192.0.2.1\n");
  const auto asked = resolver(server.address(), net::Millis{500});
  ASSERT_TRUE(find(asked, "mail.test"));
  server.stop();
  EXPECT_EQ(texts(find(asked, "mail.test")), (Texts{"first.mail.test 192.0.2.1:25"}));
  EXPECT_FALSE(find(asked, "other.mail.test"));
}

TEST_F(MailServersTest, ManyQuestionsAtOnce) {
  MailServers servers(resolver(server_->address()), {}, 25);
  int good = 0, open = 300;
  for (int i = 0; i < 300; ++i) {
    servers.find(loop_, "d" + std::to_string(i) + ".many.mail.test", [&](const Route& route) {
      if (route && route->servers.size() == 1) ++good;
      if (--open == 0) loop_.stop();
    });
  }
  loop_.run();
  EXPECT_EQ(good, 300);
}

TEST_F(MailServersTest, AddressLiterals) {
  const SilentServer silent;
  const auto asked = resolver(silent.address());
  EXPECT_EQ(texts(find(asked, "[192.0.2.5]")), (Texts{"192.0.2.5 192.0.2.5:25"}));
  EXPECT_EQ(texts(find(asked, "[IPv6:2001:db8::5]")), (Texts{"2001:db8::5 [2001:db8::5]:25"}));
  EXPECT_EQ(find(asked, "[192.0.2]").error().dsn, "5.1.2");
  EXPECT_EQ(find(asked, "[0.0.0.0]").error().final, true);
  EXPECT_EQ(find(asked, "a b").error().dsn, "5.1.2");
}

TEST_F(MailServersTest, AResolverThatGoesCallsNobody) {
  const SilentServer silent;
  auto asked = resolver(silent.address());
  asked->mx("mail.test", [](const auto&) { ADD_FAILURE() << "called"; });
  net::Timer end(loop_, [&] { loop_.stop(); });
  net::Timer go(loop_, [&] { asked.reset(); });
  go.start(net::Millis{20});
  end.start(net::Millis{100});
  loop_.run();
}

// A key that nothing is signed by: as a resolver behaves that drops signatures.
constexpr const char* kRootKey =
    "; the root's\n. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D ; and a comment\n";

TEST_F(MailServersTest, NameServersWithoutDnssecAreBelievedUnlessAllMustBeValidated) {
  ResolverOptions options{.servers = {server_->address()}, .timeout = net::Millis{10'000}, .trust_anchors = kRootKey};
  const auto lenient = std::make_shared<Resolver>(loop_, options);
  const Route found = find(lenient, "mail.test");
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->servers[0].host, "first.mail.test");
  EXPECT_EQ(found->servers[0].dane.rule, Dane::Rule::kNone);
  options.strict = true;
  const Route refused = find(std::make_shared<Resolver>(loop_, options), "mail.test");
  ASSERT_FALSE(refused);
  EXPECT_FALSE(refused.error().final);
  EXPECT_EQ(refused.error().dsn, "4.4.3");
}

}  // namespace
}  // namespace holdfast::dns
