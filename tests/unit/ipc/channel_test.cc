#include "common/ipc/channel.h"

#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::ipc {
namespace {

struct Handler : ChannelHandler {
  std::function<void(Channel&)> peer = [](Channel&) {};
  std::function<bool(Channel&, const Incoming&)> message = [](Channel&, const Incoming&) { return false; };
  std::function<void(Channel&)> gone = [](Channel&) {};
  void on_peer(Channel& c) override { peer(c); }
  bool on_message(Channel& c, const Incoming& m) override { return message(c, m); }
  void on_gone(Channel& c) override { gone(c); }
};

Hello hello(const std::string& name) {
  Hello out;
  out.name = name;
  return out;
}

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() { limit_.start(net::Millis{5000}); }
  ~ChannelTest() override { ::unlink(path_.c_str()); }

  net::Loop loop_;
  net::Timer limit_{loop_, [this] { ADD_FAILURE() << "took too long"; loop_.stop(); }};
  const std::string path_ = "/tmp/holdfast-ipc-" + std::to_string(::getpid()) + ".sock";
  Handler server_handler_, client_handler_;
};

TEST_F(ChannelTest, MessagesGoBothWays) {
  Server server(loop_, path_, hello("qmgr"), server_handler_);
  ASSERT_TRUE(server.start());
  Client client(loop_, path_, hello("smtpd"), client_handler_);
  std::string asked_by;
  server_handler_.message = [&](Channel& from, const Incoming& m) {
    const auto synced = m.as<Synced>();
    if (!synced) return false;
    asked_by = from.peer().name;
    from.send(ProbeNow{"office"});
    return true;
  };
  client_handler_.peer = [&](Channel& c) { c.send(Synced{.writer = 1, .segment = 2, .upto = 3}); };
  client_handler_.message = [&](Channel& from, const Incoming& m) {
    EXPECT_EQ(from.peer().name, "qmgr");
    EXPECT_EQ(m.as<ProbeNow>()->destination, "office");
    loop_.stop();
    return true;
  };
  client.start();
  loop_.run();
  EXPECT_EQ(asked_by, "smtpd");
}

TEST_F(ChannelTest, TheClientComesBackWhenTheServerDoes) {
  auto server = std::make_unique<Server>(loop_, path_, hello("qmgr"), server_handler_);
  ASSERT_TRUE(server->start());
  Client client(loop_, path_, hello("smtpd"), client_handler_);
  int met = 0;
  client_handler_.peer = [&](Channel&) {
    if (++met == 2) loop_.stop();
    loop_.later([&] { server.reset(); });
  };
  client_handler_.gone = [&](Channel&) {
    server = std::make_unique<Server>(loop_, path_, hello("qmgr"), server_handler_);
    EXPECT_TRUE(server->start());
  };
  client.start();
  loop_.run();
  EXPECT_EQ(met, 2);
}

TEST_F(ChannelTest, AnotherProtocolIsCutOff) {
  Server server(loop_, path_, hello("qmgr"), server_handler_);
  ASSERT_TRUE(server.start());
  server_handler_.peer = [](Channel&) { FAIL() << "greeted"; };
  auto wrong = hello("smtpd");
  wrong.version = 99;
  Client client(loop_, path_, wrong, client_handler_);
  client_handler_.gone = [&](Channel&) { loop_.stop(); };
  client.start();
  loop_.run();
}

TEST_F(ChannelTest, AnUnknownMessageIsTheEnd) {
  Server server(loop_, path_, hello("qmgr"), server_handler_);
  ASSERT_TRUE(server.start());
  Client client(loop_, path_, hello("smtpd"), client_handler_);
  bool gone = false;
  server_handler_.gone = [&](Channel&) { gone = true; };
  client_handler_.peer = [&](Channel& c) { c.send_frame(static_cast<Type>(999), "x"); };
  client_handler_.gone = [&](Channel&) { loop_.stop(); };
  client.start();
  loop_.run();
  EXPECT_TRUE(gone);
}

TEST_F(ChannelTest, AClosedChannelIsNotReportedAndFreed) {
  Server server(loop_, path_, hello("qmgr"), server_handler_);
  ASSERT_TRUE(server.start());
  Client client(loop_, path_, hello("smtpd"), client_handler_);
  server_handler_.peer = [](Channel& c) { c.close(); };
  server_handler_.gone = [](Channel&) { ADD_FAILURE() << "told of its own close"; };
  client_handler_.gone = [&](Channel&) { loop_.stop(); };
  client.start();
  loop_.run();
}

TEST_F(ChannelTest, AskGetsItsAnswerPastWhatIsPushed) {
  Server server(loop_, path_, hello("prober"), server_handler_);
  ASSERT_TRUE(server.start());
  server_handler_.peer = [](Channel& c) { c.send(Destination{.name = "office"}); };
  server_handler_.message = [&](Channel& c, const Incoming& m) {
    EXPECT_EQ(m.as<Control>()->command, "dest.probe");
    c.send(ControlReply{.exit = 0, .json = "{}", .text = ""});
    return true;
  };
  base::Result<ControlReply> reply = base::fail(base::Kind::kInternal, "never asked");
  std::thread asker([&] {
    reply = ask(path_, Control{.command = "dest.probe", .words = {"office"}, .user = ""}, base::Seconds{5});
    loop_.stop();
  });
  loop_.run();
  asker.join();
  ASSERT_TRUE(reply) << reply.error().text;
  EXPECT_EQ(reply->json, "{}");
}

TEST(Ask, NobodyThereIsUnavailable) {
  const auto reply = ask("/tmp/holdfast-no-such.sock", Control{}, base::Seconds{1});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().kind, base::Kind::kUnavailable);
}

}  // namespace
}  // namespace holdfast::ipc
