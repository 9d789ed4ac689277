#include "smtpd/prober_link.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/codec.h"
#include "tests/unit/upstream/scripted_server.h"

namespace holdfast::smtpd {
namespace {

// It greets, and then hangs: what is meant for it must not pile up here.
TEST(ProberLink, HoldsLittleForAProberThatDoesNotRead) {
  test::Bench bench;
  const std::string path = "/tmp/holdfast-prober-" + std::to_string(::getpid()) + ".sock";
  const auto listener = net::listen_on(*net::SocketAddress::unix_path(path));
  ASSERT_TRUE(listener);
  ProberLink link(bench.loop, path, {});
  base::UniqueFd prober;
  ASSERT_TRUE(bench.until([&] {
    prober.reset(::accept(listener->get(), nullptr, nullptr));
    return static_cast<bool>(prober);
  }));
  std::string hello;
  ipc::append_frame(hello, ipc::Hello::kType, base::encode(ipc::Hello{}));
  ASSERT_EQ(::send(prober.get(), hello.data(), hello.size(), 0), static_cast<ssize_t>(hello.size()));
  const std::string reason(1000, 'x');
  const bool piled_up = bench.until(
      [&] {
        for (int i = 0; i < 1000; ++i) link.observed("office", {.server = "s", .address = "a", .reason = reason});
        return link.unsent() > 8 << 20;
      },
      net::Millis{500});
  EXPECT_FALSE(piled_up);
  EXPECT_GT(link.unsent(), 0u);
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace holdfast::smtpd
