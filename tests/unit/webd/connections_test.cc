#include "webd/connections.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/base/file.h"

namespace holdfast::webd {
namespace {

constexpr base::Seconds kIdle{60};
const base::Mono kStart{std::chrono::hours{1}};

// A client's connection, as webd has it, and the client's end. The latter is a connection of this process too: each pair is two.
struct Pair {
  base::UniqueFd ours, client;
};

class ConnectionsTest : public ::testing::Test {
 protected:
  ConnectionsTest() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address_;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address_), length), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address_), &length), 0);
  }
  Pair connect() const {
    Pair out{base::UniqueFd(), base::UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
    EXPECT_EQ(::connect(out.client.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
    out.ours = base::UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_TRUE(out.ours);
    return out;
  }
  static bool ended(const base::UniqueFd& fd) {
    char byte = 0;
    return ::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }

  base::UniqueFd listener_;
  sockaddr_in address_{};
};

TEST_F(ConnectionsTest, TooManyAreNoticedAndRoomIsSeenAgain) {
  Connections all(6, kIdle);
  const auto first = connect(), second = connect();
  EXPECT_TRUE(all.look(kStart)) << "four, and the listener is none";
  EXPECT_EQ(all.count(), 4U);
  {
    const auto third = connect();
    EXPECT_TRUE(all.one_more());
    EXPECT_FALSE(all.one_more()) << "six";
    EXPECT_FALSE(all.look(kStart));
  }
  EXPECT_TRUE(all.look(kStart));
  EXPECT_EQ(all.count(), 4U);
}

TEST_F(ConnectionsTest, WhoSendsNoWholeRequestInTimeIsEnded) {
  Connections all(100, kIdle);
  const auto slow = connect(), asked = connect(), waiting = connect();
  (void)all.look(kStart);
  const char some[] = "GET / HT";
  ASSERT_EQ(::send(slow.client.get(), some, sizeof some - 1, 0), 8);
  all.busy(waiting.ours.get(), true);  // its answer takes long
  (void)all.look(kStart + base::Seconds{59});
  all.busy(asked.ours.get(), true);
  all.busy(asked.ours.get(), false);
  for (const auto* pair : {&slow, &asked, &waiting}) all.busy(pair->client.get(), true);  // the clients' ends are not what is tried here
  EXPECT_FALSE(ended(slow.client));
  (void)all.look(kStart + base::Seconds{60});
  EXPECT_TRUE(ended(slow.client)) << "bytes alone are no request";
  EXPECT_FALSE(ended(asked.client));
  EXPECT_FALSE(ended(waiting.client));
  (void)all.look(kStart + base::Seconds{119});
  EXPECT_FALSE(ended(asked.client));
  (void)all.look(kStart + base::Seconds{120});
  EXPECT_TRUE(ended(asked.client)) << "and then no other";
  EXPECT_FALSE(ended(waiting.client)) << "while its answer is under way it is never idle";
}

}  // namespace
}  // namespace holdfast::webd
