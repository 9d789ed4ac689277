// XCLIENT, PROXY and LMTP as a connection and a pool have them, against a scripted server.
#include "common/upstream/manner.h"

#include <gtest/gtest.h>

#include "common/net/proxy_header.h"
#include "tests/unit/upstream/pool_fixture.h"

namespace holdfast::upstream {
namespace {

using test::ScriptedServer;
using Tell = Manner::Tell;

ClientPtr client(std::string address, std::uint16_t port = 4321, std::string helo = "mail.s.example") {
  return std::make_shared<Client>(Client{
      .address = std::move(address), .port = port, .name = "mail.s.example", .helo = std::move(helo), .protocol = "ESMTPS"});
}

TEST(Manner, SaysWhatTheServerTakes) {
  EXPECT_EQ(xclient_argument(*client("192.0.2.1"), "NAME ADDR PROTO HELO PORT REVERSE_NAME"),
            "NAME=mail.s.example ADDR=192.0.2.1 PROTO=ESMTP HELO=mail.s.example PORT=4321");
  Client unknown = *client("2001:db8::1");
  unknown.name.clear();
  unknown.protocol = "SMTP";
  EXPECT_EQ(xclient_argument(unknown, "NAME ADDR PROTO"), "NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PROTO=SMTP");
  EXPECT_EQ(xclient_argument(unknown, "DESTADDR LOGIN"), "");
}

TEST(Manner, AProxyHeaderNamesTheClient) {
  const auto v4 = *net::SocketAddress::ip("10.0.0.5", 25), v6 = *net::SocketAddress::ip("2001:db8::5", 25);
  for (const auto& server : {v4, v6}) {
    for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
      const auto read = net::parse_proxy_header(proxy_header(client(address).get(), server));
      ASSERT_EQ(read.status, net::ProxyHeader::Status::kComplete);
      ASSERT_TRUE(read.client.has_value());
      EXPECT_EQ(read.client->host(), address);
      EXPECT_EQ(read.client->port(), 4321);
      EXPECT_EQ(read.server->port(), 25);
    }
  }
  EXPECT_EQ(proxy_header(nullptr, v4), net::proxy_v2_local());
  EXPECT_EQ(proxy_header(client("no address").get(), v4), net::proxy_v2_local());
}

TEST(Manner, WhoIsTheSameForTheServer) {
  const auto one = client("192.0.2.1"), again = client("192.0.2.1"), other_helo = client("192.0.2.1", 4321, "x");
  EXPECT_TRUE(same_for_server(Tell::kNothing, one, nullptr));
  EXPECT_TRUE(same_for_server(Tell::kXclient, one, again));
  EXPECT_FALSE(same_for_server(Tell::kXclient, one, other_helo));
  EXPECT_TRUE(same_for_server(Tell::kProxy, one, other_helo));
  EXPECT_FALSE(same_for_server(Tell::kProxy, one, client("192.0.2.1", 4322)));
  EXPECT_FALSE(same_for_server(Tell::kProxy, one, client("192.0.2.2")));
  EXPECT_FALSE(same_for_server(Tell::kProxy, nullptr, one));
  EXPECT_TRUE(same_for_server(Tell::kProxy, nullptr, nullptr));
}

class MannerPool : public PoolTest {
 protected:
  void make_for(Tell tell, bool lmtp = false) {
    first.replies["LHLO"] = "250-lmtp\r\n250-PIPELINING\r\n250 SIZE 1000";
    first.replies["XCLIENT"] = "220 scripted again";
    if (tell == Tell::kXclient) first.replies["EHLO"] = "250-scripted\r\n250-PIPELINING\r\n250 XCLIENT NAME ADDR PORT PROTO HELO";
    first.proxied = tell == Tell::kProxy;
    make({.servers = {name_of(first)}, .limit = 2, .manner = {.lmtp = lmtp, .tell = tell}});
  }
  // One message of his, from acquire() to the connection's return.
  bool send_for(ClientPtr whose) {
    auto got = get({.client = std::move(whose)});
    EXPECT_TRUE(got->lease);
    if (!got->lease) return false;
    send_on(*got);
    return got->lease->reused();
  }
};

TEST_F(MannerPool, XclientIsSaidOnceForAClient) {
  make_for(Tell::kXclient);
  EXPECT_FALSE(send_for(client("192.0.2.1")));
  EXPECT_TRUE(send_for(client("192.0.2.1")));
  EXPECT_EQ(first.count("XCLIENT"), 1u);
  EXPECT_EQ(first.lines[1], "XCLIENT NAME=mail.s.example ADDR=192.0.2.1 PORT=4321 PROTO=ESMTP HELO=mail.s.example");
  EXPECT_EQ(first.lines[2], "EHLO gw.example.test") << "the session begins again";
  EXPECT_TRUE(send_for(client("192.0.2.2"))) << "the same connection";
  EXPECT_EQ(first.count("XCLIENT"), 2u);
  EXPECT_EQ(first.count("EHLO"), 3u);
  EXPECT_EQ(first.connections, 1);
  EXPECT_EQ(first.messages.size(), 3u);
}

TEST_F(MannerPool, OurOwnMailDoesNotGoUnderTheNameOfAnother) {
  make_for(Tell::kXclient);
  send_for(client("192.0.2.1"));
  EXPECT_FALSE(send_for(nullptr));
  EXPECT_EQ(first.connections, 2);
  EXPECT_EQ(first.count("XCLIENT"), 1u);
  EXPECT_TRUE(send_for(nullptr));
}

TEST_F(MannerPool, WithoutXclientAllGoesAsOurs) {
  make_for(Tell::kXclient);
  first.replies["EHLO"] = "250-scripted\r\n250 PIPELINING";
  send_for(client("192.0.2.1"));
  EXPECT_TRUE(send_for(client("192.0.2.2")));
  EXPECT_TRUE(send_for(nullptr));
  EXPECT_EQ(first.connections, 1);
  EXPECT_EQ(first.count("XCLIENT"), 0u);
}

TEST_F(MannerPool, AServerThatOffersXclientOnceOnlyGetsAConnectionAClient) {
  make_for(Tell::kXclient);
  first.judge = [&](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("EHLO") && first.lines.size() > 1 && first.lines[first.lines.size() - 2].starts_with("XCLIENT")) {
      return "250 scripted";
    }
    return std::nullopt;
  };
  send_for(client("192.0.2.1"));
  EXPECT_TRUE(send_for(client("192.0.2.1")));
  EXPECT_FALSE(send_for(client("192.0.2.2")));
  EXPECT_EQ(first.connections, 2);
}

TEST_F(MannerPool, ARefusedXclientKeepsNoMailBack) {
  make_for(Tell::kXclient);
  first.replies["XCLIENT"] = "550 5.7.0 not you";
  EXPECT_FALSE(send_for(client("192.0.2.1")));
  EXPECT_EQ(first.messages.size(), 1u);
  EXPECT_EQ(first.count("XCLIENT"), 1u);
}

TEST_F(MannerPool, AConnectionThatDiesAtXclientIsReplaced) {
  make_for(Tell::kXclient);
  send_for(client("192.0.2.1"));
  first.judge = [&](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("XCLIENT") && first.connections == 1) return ScriptedServer::kCut;
    return std::nullopt;
  };
  EXPECT_FALSE(send_for(client("192.0.2.2")));
  EXPECT_EQ(first.connections, 2);
  EXPECT_EQ(first.messages.size(), 2u);
  ASSERT_FALSE(reports.empty());
  EXPECT_TRUE(reports.back().ok || reports.back().reused) << "it says nothing of the server";
}

TEST_F(MannerPool, AWaiterThatGoesWhileXclientIsSaidLeavesTheConnection) {
  make_for(Tell::kXclient);
  send_for(client("192.0.2.1"));
  first.replies["XCLIENT"] = ScriptedServer::kSilence;
  auto got = ask({.client = client("192.0.2.2")});
  ASSERT_TRUE(bench.until([&] { return first.count("XCLIENT") == 2; }));
  got.reset();
  first.replies["XCLIENT"] = "220 again";
  first.say("220 again");
  ASSERT_TRUE(bench.until([&] { return pool->idle() == 1; }));
  EXPECT_TRUE(send_for(client("192.0.2.2")));
  EXPECT_EQ(first.count("XCLIENT"), 2u) << "it knows him already";
}

TEST_F(MannerPool, AProxyConnectionIsOneClients) {
  make_for(Tell::kProxy);
  EXPECT_FALSE(send_for(client("192.0.2.1")));
  EXPECT_TRUE(send_for(client("192.0.2.1")));
  EXPECT_FALSE(send_for(client("192.0.2.1", 999)));
  EXPECT_FALSE(send_for(client("2001:db8::1"))) << "the limit is reached: the oldest makes room";
  EXPECT_FALSE(send_for(nullptr));
  EXPECT_EQ(first.clients, (std::vector<std::string>{"192.0.2.1:4321", "192.0.2.1:999", "[2001:db8::1]:4321", "local"}));
  EXPECT_EQ(pool->connections(), 2);
  EXPECT_EQ(first.lines[0], "EHLO gw.example.test");
}

TEST_F(MannerPool, WhoIsRefusedByHisNameSaysNothingOfTheServer) {
  make_for(Tell::kProxy);
  first.replies["banner"] = "554 5.7.1 not from there";
  auto refused = get({.client = client("192.0.2.66")});
  ASSERT_TRUE(refused->failure);
  EXPECT_TRUE(refused->failure->of_client);
  EXPECT_EQ(refused->failure->reply.code, 554);
  first.replies["banner"] = ScriptedServer::kCut;
  auto dropped = get({.client = client("192.0.2.66")});
  ASSERT_TRUE(dropped->failure);
  EXPECT_TRUE(dropped->failure->of_client);
  EXPECT_EQ(dropped->failure->reply.code, 0);
  for (const Seen& seen : reports) EXPECT_TRUE(seen.ok || seen.reused) << "the prober looks, and no more";
  EXPECT_EQ(reports.size(), 2u);
  first.replies["banner"] = "220 scripted ESMTP";
  send_for(client("192.0.2.1"));
  EXPECT_EQ(first.messages.size(), 1u) << "no breaker for the others";

  first.replies["banner"] = "554 5.3.2 nobody";
  auto ours = get({.fresh = true});
  ASSERT_TRUE(ours->failure);
  EXPECT_FALSE(ours->failure->of_client) << "of us it speaks as before";
  EXPECT_FALSE(reports.back().reused);
}

TEST_F(MannerPool, ARefusalBehindXclientIsTheClients) {
  make_for(Tell::kXclient);
  const std::string offer = first.replies["EHLO"];
  first.replies["XCLIENT"] = "-421 4.7.0 too many from there";
  auto refused = get({.client = client("192.0.2.66")});
  ASSERT_TRUE(refused->failure);
  EXPECT_TRUE(refused->failure->of_client);
  EXPECT_EQ(refused->failure->reply.code, 421);
  first.replies["XCLIENT"] = "220 again";
  EXPECT_FALSE(send_for(client("192.0.2.1")));
  first.replies["EHLO"] = first.replies["HELO"] = "550 broken";
  auto before = get({.fresh = true, .client = client("192.0.2.66")});
  ASSERT_TRUE(before->failure);
  EXPECT_FALSE(before->failure->of_client) << "it has not heard of him yet";
}

TEST_F(MannerPool, LmtpAnswersEachRecipient) {
  make_for(Tell::kNothing, true);
  first.replies["."] = "250 2.0.0 one\r\n552 5.2.2 full\r\n451 4.3.0 later";
  auto got = get();
  ASSERT_TRUE(got->lease);
  Connection& connection = got->lease->connection();
  EXPECT_EQ(first.lines, std::vector<std::string>{"LHLO gw.example.test"});
  EXPECT_EQ(connection.capabilities().size_limit, 1000u);
  first.judge = [](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("RCPT TO:<no@")) return "550 5.1.1 unknown";
    return std::nullopt;
  };
  connection.mail("a@s.example", "");
  for (const char* to : {"a@x.test", "no@x.test", "b@x.test", "c@x.test"}) connection.rcpt(to);
  ASSERT_TRUE(bench.until([&] { return got->events.events.size() == 5; }));
  test::TextSource content("x\r\n");
  connection.send(content);
  ASSERT_TRUE(bench.until([&] { return got->events.saw("sent 451"); }));
  EXPECT_EQ(std::vector<std::string>(got->events.events.end() - 3, got->events.events.end()),
            (std::vector<std::string>{"sent 250", "sent 552", "sent 451"}));
  EXPECT_TRUE(connection.idle());
  got->lease->release();
  EXPECT_EQ(pool->idle(), 1);
}

TEST_F(MannerPool, LmtpThatEndsBetweenItsAnswersHasLeftSomeOpen) {
  make_for(Tell::kNothing, true);
  first.replies["."] = "-250 2.0.0 one";
  auto got = get();
  Connection& connection = got->lease->connection();
  connection.mail("a@s.example", "");
  for (const char* to : {"a@x.test", "b@x.test"}) connection.rcpt(to);
  ASSERT_TRUE(bench.until([&] { return got->events.events.size() == 3; }));
  test::TextSource content("x\r\n");
  connection.send(content);
  ASSERT_TRUE(bench.until([&] { return got->events.failure.has_value(); }));
  EXPECT_TRUE(got->events.saw("sent 250"));
  EXPECT_TRUE(got->events.failure->dot_sent);
  EXPECT_EQ(got->events.failure->stage, Stage::kDot);
}

TEST_F(MannerPool, LmtpHasNoHelo) {
  make_for(Tell::kNothing, true);
  first.replies["LHLO"] = "500 5.5.1 what?";
  auto got = get();
  ASSERT_TRUE(got->failure);
  EXPECT_EQ(got->failure->stage, Stage::kEhlo);
  EXPECT_EQ(first.count("HELO"), 0u);
}

}  // namespace
}  // namespace holdfast::upstream
