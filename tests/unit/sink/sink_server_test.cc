// The sink as a whole, in a thread of its own, against plain blocking sockets.
#include "gatewayctl/sink_server.h"

#include <cstdlib>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/file.h"

namespace holdfast::gatewayctl::sink {
namespace {

// Reads give up after 10 s: a sink that hangs fails the test instead of stopping it.
class Peer {
 public:
  explicit Peer(const net::SocketAddress& to) : fd_(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval wait{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    connected_ = ::connect(fd_.get(), to.raw(), to.length()) == 0;
  }
  bool connected() const { return connected_; }
  void send(std::string_view bytes) { ASSERT_TRUE(base::write_all(fd_.get(), bytes)); }
  // The next line without its end; "closed" when there is none.
  std::string line() {
    for (;;) {
      const auto end = buffer_.find('\n');
      if (end != std::string::npos) {
        std::string out = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (out.ends_with('\r')) out.pop_back();
        return out;
      }
      char chunk[4096];
      const ssize_t n = ::recv(fd_.get(), chunk, sizeof chunk, 0);
      if (n <= 0) return n == 0 || errno == ECONNRESET ? "closed" : "nothing came";
      buffer_.append(chunk, static_cast<std::size_t>(n));
    }
  }
  std::string ask(std::string_view words) {
    send(std::string(words) + "\r\n");
    return line();
  }
  // Sends `blob` again and again until the other side takes no more for a while, or `most` is reached.
  std::size_t flood(std::string_view blob, std::size_t most) {
    const timeval wait{0, 500'000};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    std::size_t sent = 0;
    while (sent < most) {
      const ssize_t n =
          ::send(fd_.get(), blob.data() + sent % blob.size(), blob.size() - sent % blob.size(), MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    return sent;
  }
  bool silent() {
    const timeval wait{0, 100'000};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    char byte;
    return buffer_.empty() && ::recv(fd_.get(), &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
  }

 private:
  base::UniqueFd fd_;
  bool connected_ = false;
  std::string buffer_;
};

class Sink : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/hf-sink-XXXXXX";
    folder_ = ::mkdtemp(name);
    Options options;
    // An address of our own: on 127.0.0.1 another test could take the port while the sink is down.
    const int pid = ::getpid();
    options.listen = {"127.77." + std::to_string(pid >> 8 & 255) + "." + std::to_string((pid & 255) | 1) + ":0"};
    options.control = folder_ + "/control";
    options.store.folder = folder_ + "/mail";
    options.smtp.hostname = "sink.test";
    server_ = std::make_unique<Server>(std::move(options));
    ASSERT_TRUE(server_->start());
    address_ = server_->addresses().front();
    control_address_ = *net::SocketAddress::unix_path(folder_ + "/control");
    thread_ = std::thread([this] { server_->serve(); });
    control_ = std::make_unique<Peer>(control_address_);
  }
  void TearDown() override {
    tell("quit");
    thread_.join();
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string tell(std::string_view words) {
    control_->send(std::string(words) + "\n");
    return control_->line();
  }
  Peer greeted() {
    Peer peer(address_);
    EXPECT_EQ(peer.line(), "220 sink.test ESMTP Holdfast");
    EXPECT_EQ(peer.ask("HELO c.test"), "250 sink.test");
    return peer;
  }
  std::string file(std::string_view name) {
    return base::read_file(folder_ + "/mail/" + std::string(name)).value_or("none");
  }

  std::string folder_;
  std::unique_ptr<Server> server_;
  net::SocketAddress address_, control_address_;
  std::thread thread_;
  std::unique_ptr<Peer> control_;
};

TEST_F(Sink, SavesWhatItGets) {
  Peer peer = greeted();
  EXPECT_EQ(peer.ask("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
  EXPECT_EQ(peer.ask("RCPT TO:<c@d.test>"), "250 2.1.5 Ok");
  EXPECT_EQ(peer.ask("DATA").substr(0, 3), "354");
  EXPECT_EQ(peer.ask("Subject: x\r\n\r\n..dot\r\n."), "250 2.0.0 Ok");
  EXPECT_EQ(file("000001.eml"), "Subject: x\r\n\r\n.dot\r\n");
  EXPECT_EQ(
      file("000001.json"),
      "{\"number\":1,\"sender\":\"a@b.test\",\"recipients\":[\"c@d.test\"],\"message_size\":20,\"helo\":\"c.test\","
      "\"client\":\"127.0.0.1\"}\n");
  EXPECT_EQ(tell("counts"),
            "connections=1 messages=1 recipients=1 bytes=20 refused=0 tempfailed=0 stalled=0 dropped=0");
}

TEST_F(Sink, DoesAsItIsTold) {
  EXPECT_EQ(tell("rcpt to=bob 550 5.1.1 No Bob here"), "ok");
  EXPECT_EQ(tell("dot times=1 tempfail"), "ok");
  EXPECT_EQ(tell("sing"), "error: no such stage: \"sing\" (connect, ehlo, mail, rcpt, data, content, dot)");
  Peer peer = greeted();
  EXPECT_EQ(peer.ask("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
  EXPECT_EQ(peer.ask("RCPT TO:<bob@d.test>"), "550 5.1.1 No Bob here");
  EXPECT_EQ(peer.ask("RCPT TO:<c@d.test>"), "250 2.1.5 Ok");
  EXPECT_EQ(peer.ask("DATA").substr(0, 3), "354");
  EXPECT_EQ(peer.ask("."), "451 4.0.0 Not now, as told");
  EXPECT_EQ(peer.ask("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
  EXPECT_EQ(peer.ask("RCPT TO:<c@d.test>"), "250 2.1.5 Ok");
  EXPECT_EQ(peer.ask("DATA").substr(0, 3), "354");
  EXPECT_EQ(peer.ask("."), "250 2.0.0 Ok");
  EXPECT_EQ(tell("reset"), "ok");
  EXPECT_EQ(peer.ask("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
  EXPECT_EQ(peer.ask("RCPT TO:<bob@d.test>"), "250 2.1.5 Ok");
}

TEST_F(Sink, StallsAndGoesOn) {
  Peer forever = greeted();
  forever.send("MAIL FROM:<stall-mail@b.test>\r\nNOOP\r\n");
  EXPECT_TRUE(forever.silent());
  EXPECT_EQ(tell("mail stall 1"), "ok");
  Peer peer = greeted();
  peer.send("MAIL FROM:<a@b.test>\r\nNOOP\r\n");
  EXPECT_TRUE(peer.silent());
  Peer late = greeted();
  late.send("MAIL FROM:<a@b.test>\r\nNOOP\r\n");
  EXPECT_EQ(late.line(), "250 2.1.0 Ok");
  EXPECT_EQ(late.line(), "250 2.0.0 Ok");
}

TEST_F(Sink, AClientThatDoesNotReadIsNotReadFromEither) {
  Peer peer = greeted();
  std::string blob;
  for (int i = 0; i < 10'000; ++i) blob += "HELP\r\n";
  constexpr std::size_t kMost = 60'000'000;
  const std::size_t sent = peer.flood(blob, kMost);
  EXPECT_LT(sent, kMost);
  for (std::size_t i = 0; i < sent / 6; ++i) ASSERT_EQ(peer.line().substr(0, 9), "214 2.0.0") << i;
}

TEST_F(Sink, DropsInMidContent) {
  Peer peer = greeted();
  EXPECT_EQ(peer.ask("MAIL FROM:<a@b.test>"), "250 2.1.0 Ok");
  EXPECT_EQ(peer.ask("RCPT TO:<drop-content@d.test>"), "250 2.1.5 Ok");
  EXPECT_EQ(peer.ask("DATA").substr(0, 3), "354");
  EXPECT_EQ(peer.ask("Subject: x"), "closed");
  EXPECT_EQ(tell("counts"), "connections=1 messages=0 recipients=0 bytes=0 refused=0 tempfailed=0 stalled=0 dropped=1");
}

TEST_F(Sink, RefusesConnections) {
  EXPECT_EQ(tell("connect 421 4.3.2 Later"), "ok");
  Peer later(address_);
  EXPECT_EQ(later.line(), "421 4.3.2 Later");
  EXPECT_EQ(later.line(), "closed");
  EXPECT_EQ(tell("connect 554 5.7.1 Never"), "ok");
  Peer never(address_);
  EXPECT_EQ(never.line(), "554 5.7.1 Never");
  EXPECT_EQ(never.ask("EHLO c.test").substr(0, 3), "503");
}

TEST_F(Sink, GoesDownAndComesBack) {
  Peer open = greeted();
  EXPECT_EQ(tell("down"), "ok: down, connections are refused");
  EXPECT_EQ(open.line(), "closed");
  EXPECT_FALSE(Peer(address_).connected());
  EXPECT_EQ(tell("up"), "ok: up");
  greeted();
}

TEST(SinkStart, RefusesNonsense) {
  for (const char* listen : {"127.0.0.1", "localhost:25", "127.0.0.1:99999", "127.0.0.1:x"}) {
    Options options;
    options.listen = {listen};
    EXPECT_FALSE(Server(options).start()) << listen;
  }
  Options options;
  options.listen = {"127.0.0.1:0"};
  options.rules = {"rcpt frobnicate"};
  EXPECT_FALSE(Server(options).start());
}

}  // namespace
}  // namespace holdfast::gatewayctl::sink
