#include "master/notify.h"

#include <cstdlib>

#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/file.h"
#include "common/net/address.h"
#include "tests/unit/in_folder.h"

namespace holdfast::master {
namespace {

// Takes systemd's place at the end of NOTIFY_SOCKET.
class Notify : public test::InFolder {
 protected:
  Notify() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    const auto address = net::SocketAddress::unix_path(root_ + "/notify").value();
    EXPECT_EQ(::bind(socket_.get(), address.raw(), address.length()), 0);
    ::setenv("NOTIFY_SOCKET", (root_ + "/notify").c_str(), 1);
  }
  ~Notify() override { ::unsetenv("NOTIFY_SOCKET"); }

  std::string told() const {
    char text[512];
    const ssize_t n = ::recv(socket_.get(), text, sizeof text, 0);
    return n < 0 ? "" : std::string(text, static_cast<std::size_t>(n));
  }

  base::UniqueFd socket_;
};

TEST_F(Notify, SystemdHearsOfReadinessReloadsAndTheEnd) {
  notify_ready("listening on 127.0.0.1:25");
  EXPECT_EQ(told(), "READY=1\nSTATUS=listening on 127.0.0.1:25");
  notify_reloading();
  EXPECT_TRUE(told().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  notify_stopping();
  EXPECT_EQ(told(), "STOPPING=1");
}

TEST_F(Notify, WithoutSystemdNothingIsSaid) {
  ::unsetenv("NOTIFY_SOCKET");
  notify_ready("x");
  EXPECT_EQ(told(), "");
}

}  // namespace
}  // namespace holdfast::master
