// STARTTLS (RFC 3207) and AUTH (RFC 4954) on the way to a destination.
#include <gtest/gtest.h>

#include "common/upstream/connection.h"
#include "common/upstream/pool.h"
#include "tests/unit/net/certificates.h"
#include "tests/unit/upstream/recorder.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::upstream {
namespace {

using mail::Stage;
using test::ScriptedServer;
using Events = std::vector<std::string>;
using Tls = Security::Tls;
using Trust = net::TlsClient::Trust;

constexpr const char* kOffers = "250-dest\r\n250-STARTTLS\r\n250 PIPELINING";
constexpr const char* kOffersAuth = "250-dest\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN";

class ConnectionSecurity : public testing::Test {
 protected:
  ConnectionSecurity() {
    server.replies["EHLO"] = kOffers;
    server.replies["STARTTLS"] = "220 go";
    server.replies["AUTH"] = "235 2.7.0 welcome";
    server.tls = *net::TlsServer::make(pair);
  }

  void wants(Tls tls, const net::TlsClient::Options& options = {}) {
    security.tls = tls;
    auto client = net::TlsClient::make(options);
    ASSERT_TRUE(client) << client.error().text;
    security.client = *client;
  }
  void open(Timeouts timeouts = {}) {
    connection = std::make_unique<Connection>(bench.loop, server.address(), "gw.test", timeouts, seen,
                                              std::make_shared<Security>(security), "mx.example");
    ASSERT_TRUE(bench.until([&] { return seen.saw("ready") || seen.failure; }, net::Millis{10'000}));
  }
  std::string reason() const { return seen.failure ? seen.failure->reason : "(it is ready)"; }

  net::Certificates certificates;
  net::KeyPair pair = certificates.make("mx.example");
  test::Bench bench;
  ScriptedServer server{bench.loop};
  test::Recorder seen;
  Security security;
  std::unique_ptr<Connection> connection;
};

TEST_F(ConnectionSecurity, GreetsAgainBehindTheHandshake) {
  wants(Tls::kMay);
  server.judge = [&](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("EHLO") && server.count("STARTTLS") > 0) return "250-dest\r\n250-SIZE 1000\r\n250 DSN";
    return std::nullopt;
  };
  open();
  EXPECT_EQ(reason(), "(it is ready)");
  EXPECT_TRUE(connection->secured());
  EXPECT_EQ(server.lines, (Events{"EHLO gw.test", "STARTTLS", "EHLO gw.test"}));
  EXPECT_FALSE(connection->capabilities().pipelining) << "RFC 3207 section 4.2: what was said in the clear is forgotten";
  EXPECT_TRUE(connection->capabilities().dsn);
  connection->mail("a@s.example", "");
  connection->rcpt("b@example.test");
  ASSERT_TRUE(bench.until([&] { return seen.saw("rcpt 250"); }));
  test::TextSource content(std::string(500'000, 'x') + "\r\n");
  connection->send(content);
  ASSERT_TRUE(bench.until([&] { return seen.saw("sent 250"); }));
  EXPECT_EQ(server.messages, Events{content.text});
  EXPECT_TRUE(connection->idle());
}

TEST_F(ConnectionSecurity, IsLeftOutWhereItIsOff) {
  open();
  EXPECT_EQ(server.lines, Events{"EHLO gw.test"});
  EXPECT_FALSE(connection->secured());
}

TEST_F(ConnectionSecurity, MayBeLeftOutWhereItIsNotOffered) {
  wants(Tls::kMay);
  server.replies["EHLO"] = "250 dest";
  open();
  EXPECT_EQ(reason(), "(it is ready)");
  EXPECT_FALSE(connection->secured());
}

TEST_F(ConnectionSecurity, MustBeOffered) {
  wants(Tls::kMust);
  server.replies["EHLO"] = "250 dest";
  open();
  EXPECT_EQ(reason(), "STARTTLS: not offered by the server");
  EXPECT_EQ(seen.failure->stage, Stage::kStartTls);
}

TEST_F(ConnectionSecurity, MayGoOnInTheClearWhenItIsRefused) {
  wants(Tls::kMay);
  server.replies["STARTTLS"] = "454 4.7.0 not now";
  open();
  EXPECT_EQ(reason(), "(it is ready)");
  EXPECT_FALSE(connection->secured());
  EXPECT_EQ(server.connections, 1);
}

TEST_F(ConnectionSecurity, MustNotBeRefused) {
  wants(Tls::kMust);
  server.replies["STARTTLS"] = "454 4.7.0 not now";
  open();
  EXPECT_EQ(reason(), "STARTTLS: 454 4.7.0 not now");
  EXPECT_EQ(seen.failure->reply.code, 454);
}

TEST_F(ConnectionSecurity, MayConnectAgainInTheClearWhenTheHandshakeFails) {
  wants(Tls::kMay);
  server.tls = nullptr;  // says 220 and knows nothing more
  server.replies["\x16\x03\x01\x02"] = ScriptedServer::kCut;
  server.judge = [](const std::string& line) -> std::optional<std::string> {
    return line.starts_with("\x16\x03") || line.find('\0') != line.npos ? std::optional(ScriptedServer::kCut) : std::nullopt;
  };
  open({.session = net::Millis{1'500}});
  EXPECT_EQ(reason(), "(it is ready)");
  EXPECT_FALSE(connection->secured());
  EXPECT_EQ(server.connections, 2);
  EXPECT_EQ(server.count("STARTTLS"), 1u);
}

TEST_F(ConnectionSecurity, VerifiesTheServersName) {
  wants(Tls::kMust, {.trust = Trust::kVerify, .ca_file = certificates.ca_file()});
  open();
  EXPECT_EQ(reason(), "(it is ready)");
  security.name = "other.example";
  seen = {};
  open();
  EXPECT_EQ(reason(), "STARTTLS: hostname mismatch");
  EXPECT_EQ(server.connections, 2) << "never again in the clear";
}

TEST_F(ConnectionSecurity, SaysWhyACertificateIsBad) {
  server.tls = *net::TlsServer::make(certificates.make("mx.example", -1));
  wants(Tls::kMust, {.trust = Trust::kVerify, .ca_file = certificates.ca_file()});
  open();
  EXPECT_EQ(reason(), "STARTTLS: certificate has expired");
}

TEST_F(ConnectionSecurity, KnowsAPinnedKey) {
  wants(Tls::kMust, {.trust = Trust::kPin, .pins = {net::Certificates::pin(pair)}});
  open();
  EXPECT_EQ(reason(), "(it is ready)");
  wants(Tls::kMust, {.trust = Trust::kPin, .pins = {net::Certificates::pin(certificates.make("mx.example"))}});
  seen = {};
  open();
  EXPECT_EQ(reason(), "STARTTLS: the server's key is not one of the pinned");
}

// CVE-2021-38371 and its like: what a man in the middle puts behind the 220 answers nothing.
TEST_F(ConnectionSecurity, ThrowsAwayWhatCameBehindThe220InTheClear) {
  wants(Tls::kMust);
  server.behind_starttls = "250-evil\r\n250 XCLIENT NAME\r\n250 2.1.0 Ok\r\n";
  open();
  if (!seen.failure) {
    EXPECT_TRUE(connection->secured());
    EXPECT_FALSE(connection->capabilities().xclient);
    EXPECT_TRUE(connection->capabilities().pipelining);
  }
  EXPECT_EQ(server.count("MAIL"), 0u);
}

TEST_F(ConnectionSecurity, FailsByAFaultOfItsOwnSetting) {
  wants(Tls::kMust);
  security.fault = "/etc/ca.pem: no such file";
  open();
  EXPECT_EQ(reason(), "STARTTLS: /etc/ca.pem: no such file");
}

TEST_F(ConnectionSecurity, LogsInBehindTls) {
  wants(Tls::kMay);
  server.replies["EHLO"] = kOffersAuth;
  security.user = "user";
  security.password = "secret";
  open();
  EXPECT_EQ(reason(), "(it is ready)");
  EXPECT_EQ(server.lines, (Events{"EHLO gw.test", "STARTTLS", "EHLO gw.test", "AUTH PLAIN AHVzZXIAc2VjcmV0"}));
}

TEST_F(ConnectionSecurity, SendsNoPasswordInTheClear) {
  wants(Tls::kMay);
  server.replies["EHLO"] = "250-dest\r\n250 AUTH PLAIN LOGIN";
  security.user = "user";
  security.password = "secret";
  open();
  EXPECT_EQ(reason(), "AUTH: the password may not go in the clear");
  EXPECT_EQ(server.count("AUTH"), 0u);
  seen = {};
  security.plaintext = true;
  open();
  EXPECT_EQ(reason(), "(it is ready)");
  EXPECT_EQ(server.count("AUTH PLAIN"), 1u);
}

TEST_F(ConnectionSecurity, SaysWhenItIsNotLetIn) {
  wants(Tls::kMay);
  server.replies["EHLO"] = kOffersAuth;
  server.replies["AUTH"] = "535 5.7.8 wrong password";
  security.user = "user";
  security.password = "secret";
  open();
  EXPECT_EQ(reason(), "AUTH: 535 5.7.8 wrong password");
  EXPECT_EQ(seen.failure->stage, Stage::kAuth);
  EXPECT_EQ(seen.failure->reply.code, 535);
  seen = {};
  server.replies["EHLO"] = kOffers;
  open();
  EXPECT_EQ(reason(), "AUTH: neither PLAIN nor LOGIN is offered by the server");
}

TEST_F(ConnectionSecurity, AHandshakeThatFailsIsNotTriedAgainForAWhile) {
  wants(Tls::kMay);
  server.tls = nullptr;
  server.judge = [](const std::string& line) -> std::optional<std::string> {
    return line.starts_with("\x16\x03") || line.find('\0') != line.npos ? std::optional(ScriptedServer::kCut) : std::nullopt;
  };
  net::Resolver resolver(bench.loop);
  PoolOptions options{.servers = {{.host = "127.0.0.1", .port = server.port(), .text = "here", .name = "mx.example"}},
                      .helo = "gw.test",
                      .timeouts = {.session = net::Millis{1'500}},
                      .security = std::make_shared<Security>(security)};
  Pool pool(bench.loop, resolver, options, {});
  for (int i = 0; i < 3; ++i) {
    std::optional<AcquireResult> got;
    const auto waiter = pool.acquire({.fresh = true}, [&](AcquireResult result) { got = std::move(result); });
    ASSERT_TRUE(bench.until([&] { return got.has_value(); }, net::Millis{10'000}));
    ASSERT_TRUE(*got) << got->error().reason;
    (*got)->drop();
  }
  EXPECT_EQ(server.count("STARTTLS"), 1u);
  EXPECT_EQ(server.connections, 4) << "one in vain, and three";
}

TEST_F(ConnectionSecurity, StaysWithAConnectionThatIsUsedAgain) {
  wants(Tls::kMust);
  net::Resolver resolver(bench.loop);
  PoolOptions options{.servers = {{.host = "127.0.0.1", .port = server.port(), .text = "here", .name = "mx.example"}},
                      .helo = "gw.test",
                      .security = std::make_shared<Security>(security)};
  Pool pool(bench.loop, resolver, options, {});
  for (int i = 0; i < 3; ++i) {
    std::optional<AcquireResult> got;
    const auto waiter = pool.acquire({.deadline = net::Millis{5'000}}, [&](AcquireResult result) { got = std::move(result); });
    ASSERT_TRUE(bench.until([&] { return got.has_value(); }));
    ASSERT_TRUE(*got) << got->error().reason;
    EXPECT_TRUE((*got)->connection().secured());
    EXPECT_EQ((*got)->reused(), i > 0);
    (*got)->release();
  }
  EXPECT_EQ(server.connections, 1);
}

}  // namespace
}  // namespace holdfast::upstream
