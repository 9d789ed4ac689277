#include "smtpd/client_names.h"

#include <optional>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "common/base/file.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::smtpd {
namespace {

using test::Bench;

base::IpAddress ip(std::string_view text) { return *base::IpAddress::parse(text); }

// A name server that takes questions and never answers.
struct SilentServer {
  SilentServer() {
    const auto any = net::SocketAddress::ip("127.0.0.1", 0);
    EXPECT_EQ(::bind(fd.get(), any->raw(), any->length()), 0);
    sockaddr_storage raw{};
    socklen_t length = sizeof raw;
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&raw), &length), 0);
    address = net::SocketAddress(reinterpret_cast<const sockaddr*>(&raw), length);
  }
  const base::UniqueFd fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  net::SocketAddress address;
};

// What becomes of real answers is in tests/scenarios/test_client_names.py.
class ClientNamesTest : public ::testing::Test {
 protected:
  static config::Config config_for(const net::SocketAddress& server) {
    config::Config out;
    out.resolvers = {{.host = server.host(), .port = server.port()}};
    out.clients.lookup = base::Seconds{1};
    return out;
  }
  Bench bench;
};

TEST_F(ClientNamesTest, LoopbackHasNone) {
  ClientNames names(bench.loop, {});
  EXPECT_EQ(names.known(ip("127.0.0.1")), "");
  EXPECT_EQ(names.known(ip("::1")), "");
  EXPECT_EQ(names.known(ip("192.0.2.1")), std::nullopt);
}

TEST_F(ClientNamesTest, WhereNobodyAnswersOneWaitsAndMayStop) {
  const SilentServer silent;
  ClientNames names(bench.loop, config_for(silent.address));
  bool called = false;
  auto wait = names.ask(ip("192.0.2.1"), [&](const std::string&) { called = true; });
  auto other = names.ask(ip("192.0.2.1"), [&](const std::string&) { called = true; });
  EXPECT_FALSE(bench.until([&] { return called; }, net::Millis{200}));
  wait.reset();
  other.reset();
  EXPECT_EQ(names.known(ip("192.0.2.1")), std::nullopt);
}

TEST_F(ClientNamesTest, AQuestionThatWasNotAnsweredInTimeKeepsNobodyElseWaiting) {
  const SilentServer silent;
  ClientNames names(bench.loop, config_for(silent.address));
  auto wait = names.ask(ip("192.0.2.1"), [](const std::string&) {});
  EXPECT_EQ(names.known(ip("192.0.2.1")), std::nullopt);
  EXPECT_TRUE(bench.until([&] { return names.known(ip("192.0.2.1")) == ""; }, net::Millis{10'000}));
  EXPECT_EQ(names.known(ip("192.0.2.2")), std::nullopt) << "one that is not answered says nothing of others";
}

TEST_F(ClientNamesTest, SilentNameServersCostFewClientsTheirTime) {
  const SilentServer silent;
  ClientNames names(bench.loop, config_for(silent.address));
  const auto asked = bench.loop.now();
  for (const auto* client : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
    EXPECT_EQ(names.known(ip(client)), std::nullopt);
    names.gave_up(asked);
  }
  EXPECT_EQ(names.known(ip("192.0.2.4")), "");
  names.gave_up(asked);
  EXPECT_EQ(names.known(ip("192.0.2.4")), "");
  names.reload({});
  EXPECT_EQ(names.known(ip("192.0.2.4")), std::nullopt) << "others may answer";
}

TEST_F(ClientNamesTest, OtherNameServersEndTheWaiting) {
  const SilentServer silent;
  ClientNames names(bench.loop, config_for(silent.address));
  std::string told = "nothing yet";
  std::unique_ptr<ClientNames::Wait> first, second;
  // The first to be told ends the waiting of the other.
  first = names.ask(ip("192.0.2.1"), [&](const std::string& name) { told = name; second.reset(); });
  second = names.ask(ip("192.0.2.1"), [&](const std::string& name) { told = name; first.reset(); });
  names.reload({});
  EXPECT_EQ(told, "");
  EXPECT_TRUE((first == nullptr) != (second == nullptr));
}

TEST_F(ClientNamesTest, AWaitMayOutliveThem) {
  const SilentServer silent;
  std::unique_ptr<ClientNames::Wait> wait;
  {
    ClientNames names(bench.loop, config_for(silent.address));
    wait = names.ask(ip("192.0.2.1"), [](const std::string&) { FAIL(); });
  }
  wait.reset();
}

}  // namespace
}  // namespace holdfast::smtpd
