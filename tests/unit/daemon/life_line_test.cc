#include "common/daemon/life_line.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace holdfast::daemon {
namespace {

using What = LifeNews::What;

class LifeLine : public testing::Test {
 protected:
  LifeLine() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    master.reset(ends[0]);
    daemon.reset(ends[1]);
  }
  base::UniqueFd master, daemon;
};

ino_t inode(int fd) {
  struct stat about{};
  EXPECT_EQ(::fstat(fd, &about), 0);
  return about.st_ino;
}

TEST_F(LifeLine, CarriesFiles) {
  const base::UniqueFd file(::open("/dev/null", O_RDONLY));
  ASSERT_TRUE(send_files(master.get(), file.get()));
  const auto news = read_life_line(daemon.get());
  ASSERT_EQ(news.what, What::kFiles);
  EXPECT_EQ(inode(news.fds.at(0).get()), inode(file.get()));
}

TEST_F(LifeLine, IsSilentMostOfTheTime) { EXPECT_EQ(read_life_line(daemon.get()).what, What::kNothing); }

TEST_F(LifeLine, CarriesListenersAsDescriptorsOfTheSameSockets) {
  const base::UniqueFd a(::socket(AF_INET, SOCK_STREAM, 0)), b(::socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_TRUE(send_listeners(master.get(), {a.get(), b.get()}));
  const auto news = read_life_line(daemon.get());
  ASSERT_EQ(news.what, What::kListeners);
  ASSERT_EQ(news.fds.size(), 2U);
  EXPECT_EQ(inode(news.fds[0].get()), inode(a.get()));
  EXPECT_EQ(inode(news.fds[1].get()), inode(b.get()));
  EXPECT_NE(::fcntl(news.fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(read_life_line(daemon.get()).what, What::kNothing);
}

TEST_F(LifeLine, KeepsMessagesApart) {
  const base::UniqueFd a(::socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_TRUE(send_listeners(master.get(), {a.get()}));
  ASSERT_TRUE(send_listeners(master.get(), {}));
  EXPECT_EQ(read_life_line(daemon.get()).fds.size(), 1U);
  const auto second = read_life_line(daemon.get());
  EXPECT_EQ(second.what, What::kListeners);
  EXPECT_TRUE(second.fds.empty());
}

TEST_F(LifeLine, CarriesAsManyAsAConfigurationMayHave) {
  const base::UniqueFd a(::socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_TRUE(send_listeners(master.get(), std::vector<int>(kMostListeners, a.get())));
  EXPECT_EQ(read_life_line(daemon.get()).fds.size(), kMostListeners);
}

TEST_F(LifeLine, EndsWithMaster) {
  master.reset();
  EXPECT_EQ(read_life_line(daemon.get()).what, What::kGone);
}

TEST_F(LifeLine, NeverBlocksMaster) {
  const base::UniqueFd a(::socket(AF_INET, SOCK_STREAM, 0));
  base::Status sent;
  for (int i = 0; i < 100000 && sent; ++i) sent = send_listeners(master.get(), {a.get()});
  ASSERT_FALSE(sent);
}

}  // namespace
}  // namespace holdfast::daemon
