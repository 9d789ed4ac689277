#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/net/stream.h"

namespace holdfast::net {
namespace {

struct Client : StreamHandler {
  explicit Client(Loop& l) : loop(l) {}
  void on_data(std::string_view bytes) override { said += bytes; }
  void on_end(std::string_view) override { loop.stop(); }
  Loop& loop;
  std::string said;
};

// No descriptor that is not open already.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    base::UniqueFd next(::dup(0));
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = before_.rlim_max};
    next.reset();
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

SocketAddress address_of(const base::UniqueFd& listening) {
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  ::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&raw), &length);
  return {reinterpret_cast<const sockaddr*>(&raw), length};
}

TEST(Listener, OutOfDescriptorsAClientIsToldAndTheNextIsTaken) {
  Loop loop;
  auto fd = listen_on(*SocketAddress::ip("127.0.0.1", 0));
  ASSERT_TRUE(fd);
  const SocketAddress address = address_of(*fd);
  int accepted = 0;
  Listener listener(
      loop, std::move(*fd),
      [&](base::UniqueFd, const SocketAddress&) {
        ++accepted;
      },
      "421 busy\r\n");
  Client before(loop), first(loop), second(loop);
  // One goes through first: the undefined-behaviour sanitizer looks at a type that is new to it by way of a pipe.
  const auto zero = Stream::connect(loop, address, Millis{5000}, before);
  loop.run();
  ASSERT_EQ(accepted, 1);
  const auto one = Stream::connect(loop, address, Millis{5000}, first);
  Timer limit(loop, [&] { loop.stop(); });
  limit.start(Millis{5000});
  {
    const NoDescriptors none;
    loop.run();
  }
  EXPECT_EQ(first.said, "421 busy\r\n");
  EXPECT_EQ(accepted, 1);
  const auto two = Stream::connect(loop, address, Millis{5000}, second);
  loop.run();
  EXPECT_EQ(accepted, 2);
}

TEST(Listener, LeavesClientsToOthersWhileItIsNotWilling) {
  Loop loop;
  auto fd = listen_on(*SocketAddress::ip("127.0.0.1", 0));
  ASSERT_TRUE(fd);
  const SocketAddress address = address_of(*fd);
  int accepted = 0, asked = 0;
  bool willing = false;
  Listener listener(
      loop, std::move(*fd),
      [&](base::UniqueFd, const SocketAddress&) {
        ++accepted;
        loop.stop();
      },
      {},
      [&] {
        if (++asked == 3) loop.stop();
        return willing;
      });
  Client client(loop);
  const auto stream = Stream::connect(loop, address, Millis{5000}, client);
  Timer limit(loop, [&] { loop.stop(); });
  limit.start(Millis{20'000});
  loop.run();
  EXPECT_EQ(asked, 3) << "it looks again by itself, and does not spin";
  EXPECT_EQ(accepted, 0);
  willing = true;
  loop.run();
  EXPECT_EQ(accepted, 1);
}

}  // namespace
}  // namespace holdfast::net
