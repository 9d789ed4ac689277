#include "common/net/stream.h"

#include <ctime>
#include <optional>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast::net {
namespace {

// A listening socket on a port of the kernel's choice, and its address.
struct Door {
  base::UniqueFd fd;
  SocketAddress address;

  Door() {
    fd = std::move(*listen_on(*SocketAddress::ip("127.0.0.1", 0)));
    sockaddr_storage raw{};
    socklen_t length = sizeof raw;
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&raw), &length);
    address = SocketAddress(reinterpret_cast<const sockaddr*>(&raw), length);
  }
};

struct Recorder : StreamHandler {
  std::string got;
  std::optional<std::string> end;
  bool connected = false;
  int sent = 0;
  std::function<void()> on_change = [] {};
  std::function<bool()> idle = [] { return false; };

  void on_connected() override { connected = true; on_change(); }
  void on_data(std::string_view bytes) override { got += bytes; on_change(); }
  void on_end(std::string_view reason) override { end = std::string(reason); on_change(); }
  void on_sent() override { ++sent; on_change(); }
  bool on_idle() override { return idle(); }
};

// A client stream and the accepted other side, both on one loop.
struct Pair {
  Loop loop;
  Door door;
  Recorder client, server;
  std::unique_ptr<Stream> near, far;
  std::unique_ptr<Listener> listener;
  Timer limit{loop, [this] { ADD_FAILURE() << "took too long"; loop.stop(); }};

  Pair() {
    listener = std::make_unique<Listener>(loop, std::move(door.fd), [this](base::UniqueFd fd, const SocketAddress&) {
      far = std::make_unique<Stream>(loop, std::move(fd), server);
      server.on_change();
    });
    near = Stream::connect(loop, door.address, Millis{1000}, client);
    limit.start(Millis{5000});
  }
  // Runs the loop until `reached`, which is looked at after each event.
  void run_until(std::function<bool()> reached) {
    const auto look = [this, reached] { if (reached()) loop.stop(); };
    client.on_change = server.on_change = look;
    if (reached()) return;
    loop.run();
  }
};

TEST(Stream, CarriesBytesBothWays) {
  Pair pair;
  pair.near->write("EHLO x\r\n");
  pair.run_until([&] { return pair.server.got == "EHLO x\r\n"; });
  pair.far->write("250 ");
  pair.far->write("ok\r\n");
  pair.run_until([&] { return pair.client.got == "250 ok\r\n"; });
  EXPECT_TRUE(pair.client.connected);
}

TEST(Stream, SendsMoreThanTheKernelTakesAtOnce) {
  Pair pair;
  pair.run_until([&] { return pair.client.connected && pair.far; });
  const std::string big(20 << 20, 'x');
  pair.near->write(big);
  EXPECT_GT(pair.near->unsent(), 0u);
  pair.run_until([&] { return pair.server.got.size() == big.size(); });
  EXPECT_EQ(pair.client.sent, 1);
  EXPECT_EQ(pair.near->unsent(), 0u);
}

TEST(Stream, TellsOfARefusedConnection) {
  Loop loop;
  SocketAddress nobody;
  {
    const Door door;
    nobody = door.address;
  }
  Recorder client;
  client.on_change = [&] { loop.stop(); };
  const auto stream = Stream::connect(loop, nobody, Millis{1000}, client);
  EXPECT_FALSE(client.end) << "told inside connect()";
  loop.run();
  ASSERT_TRUE(client.end);
  EXPECT_EQ(*client.end, "connection refused");
  EXPECT_FALSE(client.connected);
}

TEST(Stream, TellsOfAnOrderlyEndOnce) {
  Pair pair;
  pair.run_until([&] { return pair.client.connected && pair.far; });
  pair.far->close();
  pair.run_until([&] { return pair.client.end.has_value(); });
  EXPECT_EQ(*pair.client.end, "");
  EXPECT_FALSE(pair.near->open());
}

TEST(Stream, SaysNothingAfterClose) {
  Pair pair;
  pair.run_until([&] { return pair.client.connected && pair.far; });
  pair.near->close();
  pair.run_until([&] { return pair.server.end.has_value(); });
  EXPECT_FALSE(pair.client.end);
}

TEST(Stream, EndsWhenNothingMovesForTooLong) {
  Pair pair;
  pair.run_until([&] { return pair.client.connected && pair.far; });
  pair.near->set_idle_timeout(Millis{20});
  pair.run_until([&] { return pair.client.end.has_value(); });
  EXPECT_EQ(*pair.client.end, "timed out");
}

TEST(Stream, LetsItsHandlerDealWithTheIdleTimeout) {
  Pair pair;
  pair.run_until([&] { return pair.client.connected && pair.far; });
  int asked = 0;
  pair.client.idle = [&] {
    if (++asked == 1) return true;
    pair.near->write("421 bye\r\n");
    pair.near->close_when_sent();
    return true;
  };
  pair.near->set_idle_timeout(Millis{10});
  pair.run_until([&] { return pair.server.end.has_value(); });
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(pair.server.got, "421 bye\r\n");
  EXPECT_FALSE(pair.client.end);
}

TEST(Stream, LastWordsArriveThoughBytesWereUnread) {
  Pair pair;
  pair.run_until([&] { return pair.client.connected && pair.far; });
  pair.far->pause_reading();
  pair.near->write(std::string(100'000, 'x'));
  pair.run_until([&] { return pair.client.sent == 1; });
  pair.far->write("554 no\r\n");
  pair.far->close_when_sent();
  pair.far.reset();
  pair.run_until([&] { return pair.client.end.has_value(); });
  EXPECT_EQ(pair.client.got, "554 no\r\n");
}

TEST(Stream, OneThatStillClosesEndsWithItsLoop) {
  int fd = -1;
  {
    Pair pair;
    pair.run_until([&] { return pair.client.connected && pair.far; });
    pair.far->pause_reading();
    pair.near->write(std::string(20'000'000, 'x'));
    fd = pair.near->fd();
    pair.near->close_when_sent();
    pair.near.reset();
    EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC) << "it has not been sent yet";
  }
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1) << "the descriptor is closed";
}

TEST(Stream, PausedReadingHoldsBytesBack) {
  Pair pair;
  pair.run_until([&] { return pair.client.connected && pair.far; });
  pair.far->pause_reading();
  pair.near->write("held");
  Timer look(pair.loop, [&] { pair.loop.stop(); });
  look.start(Millis{30});
  pair.client.on_change = pair.server.on_change = [] {};
  pair.loop.run();
  EXPECT_EQ(pair.server.got, "");
  pair.far->resume_reading();
  pair.run_until([&] { return pair.server.got == "held"; });
}

TEST(Stream, MayBeDestroyedInItsCallback) {
  Pair pair;
  pair.run_until([&] { return pair.client.connected && pair.far; });
  bool gone = false;
  pair.server.on_change = [&] {
    pair.far.reset();
    gone = true;
  };
  pair.client.on_change = [&] { if (gone && pair.client.end) pair.loop.stop(); };
  pair.near->write("x");
  pair.loop.run();
  EXPECT_TRUE(gone);
  EXPECT_EQ(*pair.client.end, "");
}

// The kernel goes on to report a descriptor that was closed while another of the same socket is open, unless the
// loop has told it to stop before: the loop would never sleep again.
TEST(Listener, IsForgottenByTheLoopWhileTheSocketLivesOn) {
  Loop loop;
  auto fd = listen_on(*SocketAddress::ip("127.0.0.1", 0));
  ASSERT_TRUE(fd);
  const base::UniqueFd other(::dup(fd->get()));
  auto listener = std::make_unique<Listener>(loop, std::move(*fd), [](base::UniqueFd, const SocketAddress&) {});
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  ASSERT_EQ(::getsockname(other.get(), reinterpret_cast<sockaddr*>(&raw), &length), 0);
  const base::UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
  std::clock_t cpu = 0;
  Timer close(loop, [&] {
    listener.reset();
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&raw), length), 0);
    cpu = std::clock();
  });
  Timer end(loop, [&] { loop.stop(); });
  close.start(Millis{20});
  end.start(Millis{220});
  loop.run();
  EXPECT_LT(std::clock() - cpu, CLOCKS_PER_SEC / 50);
}

}  // namespace
}  // namespace holdfast::net
