#include "smtpd/session.h"

#include <filesystem>
#include <optional>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::smtpd {
namespace {

using test::Bench;
using test::ScriptedServer;

// Everything a session needs, with neither qmgr nor prober there.
class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    client.reset(ends[0]);
    session = std::make_unique<Session>(shared, base::UniqueFd(ends[1]), *net::SocketAddress::ip("192.0.2.1", 1025),
                                        [this] { bench.loop.bury(std::move(session)); });
    session->start();
  }
  ~SessionTest() override { std::filesystem::remove_all(folder); }

  static std::string make_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    std::filesystem::create_directories(pattern + "/spool/segments");
    std::filesystem::create_directories(pattern + "/state");
    return pattern;
  }
  config::ConfigPtr make_config() const {
    config::Config c;
    c.hostname = "mx.test";
    c.clients.refuse_early = false;  // these clients say all at once
    c.paths.state = folder + "/state";
    c.paths.spool = folder + "/spool";
    config::Destination office{.name = "office"};
    office.servers = {{.host = "127.0.0.1", .port = server.port()}};
    c.destinations.emplace("office", office);
    config::Domain domain{.name = "example.test"};
    domain.destination = "office";
    c.domains.emplace("example.test", domain);
    return std::make_shared<const config::Config>(std::move(c));
  }
  void say(const std::string& text) const { ASSERT_EQ(::send(client.get(), text.data(), text.size(), 0), ssize_t(text.size())); }

  const std::string folder = make_folder();
  Bench bench;
  ScriptedServer server{bench.loop};
  AddressBook book{make_config()};
  ProberLink prober{bench.loop, folder + "/prober.sock", {}};
  Pools pools{bench.loop, book, prober, 1};
  Spool spool{bench.loop, {.folder = folder + "/spool", .qmgr_socket = folder + "/qmgr.sock", .writer = 1, .self = {}}};
  storage::SpaceWatch space{folder};
  const daemon::Board board = daemon::Board::alone(1);
  ClientLimits limits{board, 0, 1, book.config()};
  ClientNames names{bench.loop, book.config()};
  Admission admission{bench.loop, book.config()};
  Shared shared{.loop = bench.loop, .book = book, .pools = pools, .spool = spool, .space = space, .prober = prober, .limits = limits, .names = names, .admission = admission, .token = "t", .writer = 1};
  base::UniqueFd client;
  std::unique_ptr<Session> session;
};

// The client's end and the destination's answer are there in one turn of the loop; the end is seen first.
TEST_F(SessionTest, AnAnswerThatComesBehindTheClientsEndIsDropped) {
  server.judge = [this](const std::string& line) -> std::optional<std::string> {
    if (line.starts_with("RCPT")) client.reset();
    return std::nullopt;
  };
  say("EHLO c.test\r\nMAIL FROM:<a@s.example>\r\nRCPT TO:<b@example.test>\r\nRCPT TO:<c@example.test>\r\n");
  EXPECT_TRUE(bench.until([this] { return session == nullptr; }));
  EXPECT_TRUE(bench.until([this] { return server.count("RSET") == 1; }));
  EXPECT_EQ(server.count("RCPT"), 1u);
}

// The same with the loss of the destination's connection after the dot, which would make us keep the mail.
TEST_F(SessionTest, NothingIsKeptForAClientThatHasGone) {
  server.judge = [this](const std::string& line) -> std::optional<std::string> {
    if (line != ".") return std::nullopt;
    client.reset();
    return ScriptedServer::kCut;
  };
  say("EHLO c.test\r\nMAIL FROM:<a@s.example>\r\nRCPT TO:<postmaster@example.test>\r\nDATA\r\n");
  say("Subject: x\r\n\r\nx\r\n.\r\n");
  EXPECT_TRUE(bench.until([this] { return session == nullptr; }));
  EXPECT_EQ(server.count("DATA"), 1u);
  EXPECT_FALSE(bench.until([this] { return !std::filesystem::is_empty(folder + "/spool/segments"); }, net::Millis{200}));
}

}  // namespace
}  // namespace holdfast::smtpd
