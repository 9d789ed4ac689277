#include "common/net/tls.h"

#include <algorithm>
#include <optional>

#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/handed_files.h"
#include "common/base/time.h"
#include "common/net/stream.h"
#include "tests/unit/net/certificates.h"

namespace holdfast::net {
namespace {

using Trust = TlsClient::Trust;

struct Party : StreamHandler {
  std::string got;
  std::optional<std::string> end;
  int secured = 0, sent = 0;
  std::unique_ptr<Stream> stream;
  std::function<void()> on_change = [] {};
  std::function<void(std::string_view)> read = [](std::string_view) {};

  void on_data(std::string_view bytes) override {
    got += bytes;
    read(bytes);
    on_change();
  }
  void on_end(std::string_view reason) override {
    end = std::string(reason);
    on_change();
  }
  void on_sent() override { ++sent; }
  void on_secured() override {
    ++secured;
    on_change();
  }
};

// A client and a server on the two ends of a pair of sockets.
struct Tls : testing::Test {
  Certificates certificates;
  KeyPair pair = certificates.make("mx.example");
  Loop loop;
  Party client, server;
  Timer limit{loop, [this] {
                ADD_FAILURE() << "took too long";
                loop.stop();
              }};

  Tls() { connect(); }

  void connect() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    client.stream = std::make_unique<Stream>(loop, base::UniqueFd(fds[0]), client);
    server.stream = std::make_unique<Stream>(loop, base::UniqueFd(fds[1]), server);
    client.got.clear();
    server.got.clear();
    client.secured = server.secured = 0;
    client.end.reset();
    server.end.reset();
  }

  void run_until(std::function<bool()> reached) {
    client.on_change = server.on_change = [this, reached] {
      if (reached()) loop.stop();
    };
    if (reached()) return;
    limit.start(Millis{5000});
    loop.run();
    limit.stop();
  }

  std::shared_ptr<const TlsServer> shown(std::map<std::string, KeyPair> names = {}) {
    auto made = TlsServer::make(pair, names);
    EXPECT_TRUE(made) << made.error().text;
    return *made;
  }

  void shake(const TlsClient::Options& options, const std::string& name, const std::shared_ptr<const TlsServer>& show) {
    auto made = TlsClient::make(options);
    ASSERT_TRUE(made) << made.error().text;
    server.stream->start_tls(show, Millis{3000});
    client.stream->start_tls(*made, name, Millis{3000});
    run_until([&] { return (client.secured && server.secured) || (client.end && server.end); });
  }
};

TEST_F(Tls, CarriesBytesBothWaysAndTellsHow) {
  shake({}, "mx.example", shown());
  client.stream->write("EHLO x\r\n");
  run_until([&] { return server.got == "EHLO x\r\n"; });
  server.stream->write("250 ");
  server.stream->write("ok\r\n");
  run_until([&] { return client.got == "250 ok\r\n"; });
  EXPECT_TRUE(client.stream->secured());
  EXPECT_TRUE(client.stream->tls().text.starts_with("TLSv1.3 with cipher TLS_")) << client.stream->tls().text;
  EXPECT_TRUE(client.stream->tls().text.ends_with("/256 bits)")) << client.stream->tls().text;
  EXPECT_EQ(client.stream->tls().text, server.stream->tls().text);
  EXPECT_EQ(server.stream->tls().server_name, "mx.example");
  EXPECT_FALSE(client.stream->tls().verified);
  EXPECT_GE(client.sent, 1);
  EXPECT_GE(server.sent, 1);
}

TEST_F(Tls, CarriesMoreThanTheKernelTakesAtOnce) {
  shake({}, "mx.example", shown());
  std::string big;
  while (big.size() < (5 << 20)) big += std::to_string(big.size()) + ",";
  client.stream->write(big);
  client.stream->flush();
  EXPECT_GT(client.stream->unsent(), 0u);
  run_until([&] { return server.got.size() >= big.size(); });
  EXPECT_TRUE(server.got == big);
  EXPECT_EQ(client.stream->unsent(), 0u);
  EXPECT_GE(client.sent, 1);
}

TEST_F(Tls, SendsWhatWasWrittenBeforeInTheClearAndWhatIsWrittenMeanwhileAfterIt) {
  server.stream->write("220 ready\r\n");
  server.stream->start_tls(shown(), Millis{3000});
  server.stream->write("220 secret\r\n");
  run_until([&] { return client.got == "220 ready\r\n"; });
  client.stream->start_tls(*TlsClient::make({}), "mx.example", Millis{3000});
  run_until([&] { return client.got == "220 ready\r\n220 secret\r\n"; });
  EXPECT_TRUE(client.stream->secured());
}

// What a man in the middle puts behind STARTTLS is no TLS: nothing of it is given out (RFC 3207, CVE-2011-0411).
TEST_F(Tls, GivesNoByteThatCameInTheClear) {
  server.stream->start_tls(shown(), Millis{3000});
  client.stream->write("MAIL FROM:<a@b>\r\n");
  run_until([&] { return server.end.has_value(); });
  EXPECT_EQ(server.got, "");
  EXPECT_EQ(*server.end, "TLS: wrong version number");
  EXPECT_FALSE(server.stream->open());
}

TEST_F(Tls, ShowsTheCertificateThatTheClientAsksFor) {
  const KeyPair other = certificates.make("other.example");
  const auto show = shown({{"other.example", other}});
  shake({.trust = Trust::kVerify, .ca_file = certificates.ca_file()}, "Other.Example", show);
  EXPECT_TRUE(client.stream->tls().verified);
  connect();
  shake({.trust = Trust::kVerify, .ca_file = certificates.ca_file()}, "mx.example", show);
  EXPECT_TRUE(client.stream->tls().verified);
}

TEST_F(Tls, VerifiesAChain) {
  shake({.trust = Trust::kVerify}, "mx.example", shown());
  ASSERT_TRUE(client.end);
  EXPECT_EQ(*client.end, "TLS: unable to get local issuer certificate");
  EXPECT_EQ(*server.end, "TLS: tlsv1 alert unknown ca");
  EXPECT_EQ(client.secured, 0);
}

TEST_F(Tls, VerifiesTheName) {
  shake({.trust = Trust::kVerify, .ca_file = certificates.ca_file()}, "mx2.example", shown());
  ASSERT_TRUE(client.end);
  EXPECT_EQ(*client.end, "TLS: hostname mismatch");
}

TEST_F(Tls, VerifiesAnAddress) {
  pair = certificates.make("127.0.0.1");
  shake({.trust = Trust::kVerify, .ca_file = certificates.ca_file()}, "127.0.0.1", shown());
  EXPECT_TRUE(client.stream->tls().verified);
  EXPECT_EQ(server.stream->tls().server_name, "") << "RFC 6066: no literals in SNI";
  connect();
  shake({.trust = Trust::kVerify, .ca_file = certificates.ca_file()}, "127.0.0.2", shown());
  ASSERT_TRUE(client.end);
  EXPECT_EQ(*client.end, "TLS: IP address mismatch");
}

TEST_F(Tls, RefusesAnExpiredCertificate) {
  pair = certificates.make("mx.example", -1);
  shake({.trust = Trust::kVerify, .ca_file = certificates.ca_file()}, "mx.example", shown());
  ASSERT_TRUE(client.end);
  EXPECT_EQ(*client.end, "TLS: certificate has expired");
}

TEST_F(Tls, TakesAnyCertificateIfItIsToldTo) {
  pair = certificates.make("else.example", -1);
  shake({}, "mx.example", shown());
  EXPECT_EQ(client.secured, 1);
}

TEST_F(Tls, TrustsAPinnedKeyWhateverTheChain) {
  pair = certificates.make("else.example", -1);
  for (const auto& pin : {Certificates::pin(pair), Certificates::hex_pin(pair)}) {
    connect();
    shake({.trust = Trust::kPin, .pins = {std::string(64, '0'), pin}}, "mx.example", shown());
    ASSERT_EQ(client.secured, 1) << pin;
    EXPECT_TRUE(client.stream->tls().verified);
  }
}

TEST_F(Tls, RefusesAKeyThatIsNotPinned) {
  const KeyPair other = certificates.make("mx.example");
  shake({.trust = Trust::kPin, .pins = {Certificates::pin(other)}}, "mx.example", shown());
  ASSERT_TRUE(client.end);
  EXPECT_EQ(*client.end, "TLS: the server's key is not one of the pinned");
}

TEST_F(Tls, EndsInOrderOnBothSides) {
  shake({}, "mx.example", shown());
  server.stream->write("221 bye\r\n");
  server.stream->close_when_sent();
  run_until([&] { return client.end.has_value(); });
  EXPECT_EQ(client.got, "221 bye\r\n");
  EXPECT_EQ(*client.end, "");
}

TEST_F(Tls, GivesUpAHandshakeThatDoesNotComeToAnEnd) {
  server.stream->set_idle_timeout(Millis{60'000});
  server.stream->start_tls(shown(), Millis{30});
  server.stream->set_idle_timeout(Millis{60'000});
  run_until([&] { return server.end.has_value(); });
  EXPECT_EQ(*server.end, "TLS: handshake timed out");
}

TEST_F(Tls, TellsOfAPeerThatLeavesDuringTheHandshake) {
  server.stream->start_tls(shown(), Millis{3000});
  client.stream->close();
  run_until([&] { return server.end.has_value(); });
  EXPECT_EQ(*server.end, "TLS: connection closed in the handshake");
}

TEST_F(Tls, EndsOnBytesThatAreNoRecord) {
  shake({}, "mx.example", shown());
  ASSERT_EQ(::send(client.stream->fd(), "QUIT\r\n", 6, MSG_NOSIGNAL), 6);
  run_until([&] { return server.end.has_value(); });
  EXPECT_TRUE(server.end->starts_with("TLS: ")) << *server.end;
  EXPECT_EQ(server.got, "");
}

TEST_F(Tls, MayBeDestroyedInsideAnyCallback) {
  shake({}, "mx.example", shown());
  server.read = [&](std::string_view) { server.stream.reset(); };
  client.stream->write("one");
  client.stream->flush();
  client.stream->write("two");
  run_until([&] { return client.end.has_value(); });
  EXPECT_EQ(server.got, "one");
}

TEST_F(Tls, KeepsItsIdleTimeOutAfterTheHandshake) {
  server.stream->set_idle_timeout(Millis{50});
  shake({}, "mx.example", shown());
  run_until([&] { return server.end.has_value(); });
  EXPECT_EQ(*server.end, "timed out");
}

TEST_F(Tls, OutlivesTheServerItWasMadeBy) {
  auto show = shown({{"other.example", pair}});
  server.stream->start_tls(show, Millis{3000});
  show.reset();
  client.stream->start_tls(*TlsClient::make({}), "other.example", Millis{3000});
  run_until([&] { return client.secured && server.secured; });
}

// What 200 idle sessions take on both sides, handshakes done.
TEST_F(Tls, TakesLittleMemoryAStream) {
  const auto show = shown();
  const auto ask = *TlsClient::make({});
  shake({}, "mx.example", show);
  const auto before = ::mallinfo2().uordblks;
  constexpr std::size_t kSessions = 200;
  std::vector<std::unique_ptr<Party>> parties;
  for (std::size_t i = 0; i < kSessions; ++i) {
    int fds[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    for (int side : {0, 1}) {
      auto& party = *parties.emplace_back(std::make_unique<Party>());
      party.stream = std::make_unique<Stream>(loop, base::UniqueFd(fds[side]), party);
      side == 0 ? party.stream->start_tls(show, Millis{5000}) : party.stream->start_tls(ask, "mx.example", Millis{5000});
    }
  }
  for (const auto& party : parties) {
    party->on_change = [&] {
      if (std::ranges::all_of(parties, [](const auto& p) { return p->secured > 0; })) loop.stop();
    };
  }
  limit.start(Millis{20'000});
  loop.run();
  limit.stop();
  const auto each = (::mallinfo2().uordblks - before) / (2 * kSessions);
  RecordProperty("bytes", static_cast<int>(each));
  EXPECT_LT(each, 24u << 10);
}

TEST_F(Tls, SaysWhatIsWrongWithFiles) {
  const KeyPair other = certificates.make("mx.example");
  EXPECT_EQ(fault_of(pair), "");
  EXPECT_EQ(fault_of({pair.certificate, other.key}),
            other.key + ": not the key of the certificate in " + pair.certificate);
  EXPECT_NE(fault_of({pair.certificate, "/nonexistent/key"}).find("/nonexistent/key"), std::string::npos);
  const std::string rubbish = certificates.write("rubbish", "no PEM\n");
  EXPECT_TRUE(fault_of({rubbish, pair.key}).starts_with(rubbish + ": no certificate in PEM form ("));
  EXPECT_TRUE(fault_of({pair.certificate, rubbish}).starts_with(rubbish + ": no private key in PEM form"));
  EXPECT_EQ(fault_of_ca_file(certificates.ca_file()), "");
  EXPECT_TRUE(fault_of_ca_file(rubbish).starts_with(rubbish + ": no CA certificates in PEM form ("));
  const auto made = TlsServer::make(pair, {{"x.example", {rubbish, rubbish}}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, base::Kind::kConfig);
}

TEST(TlsFiles, ACertificateSaysWhenItEnds) {
  constexpr auto kDay = std::chrono::hours(24);
  Certificates certificates;
  const auto good = certificate_end(certificates.make("mx.example.test", 3).certificate);
  const auto ended = certificate_end(certificates.make("old.example.test", -2).certificate);
  ASSERT_TRUE(good && ended);
  const auto now = base::wall_now();
  EXPECT_NEAR(static_cast<double>(base::to_millis(*good)), static_cast<double>(base::to_millis(now + 3 * kDay)), 60'000);
  EXPECT_NEAR(static_cast<double>(base::to_millis(*ended)), static_cast<double>(base::to_millis(now - 2 * kDay)), 60'000);
  EXPECT_EQ(certificate_end("/nonexistent/certificate").error().kind, base::Kind::kNotFound);
  const auto rubbish = certificate_end(certificates.write("rubbish.pem", "no certificate"));
  ASSERT_FALSE(rubbish);
  EXPECT_EQ(rubbish.error().kind, base::Kind::kConfig);
  // What master has read for us counts, not what lies on the disk by now.
  const auto file = certificates.make("handed.example.test", 5).certificate;
  base::hand_over({{file, base::read_handed(certificates.make("other.example.test", 9).certificate)}});
  const auto handed = certificate_end(file);
  base::hand_over({});
  ASSERT_TRUE(handed);
  EXPECT_NEAR(static_cast<double>(base::to_millis(*handed)), static_cast<double>(base::to_millis(now + 9 * kDay)), 60'000);
}

TEST_F(Tls, KnowsAPin) {
  EXPECT_EQ(fault_of_pin(Certificates::pin(pair)), "");
  EXPECT_EQ(fault_of_pin(Certificates::hex_pin(pair)), "");
  for (const std::string bad : {"", "x", "0123456789abcdef", "!!!!567890123456789012345678901234567890123="}) {
    EXPECT_NE(fault_of_pin(bad), "") << bad;
  }
  EXPECT_FALSE(TlsClient::make({.trust = Trust::kPin, .pins = {"x"}}));
}

}  // namespace
}  // namespace holdfast::net
