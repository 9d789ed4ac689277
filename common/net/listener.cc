#include <algorithm>
#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <sys/socket.h>

#include "common/net/stream.h"

namespace holdfast::net {
namespace {

constexpr int kMostAtATurn = 8;
// Clients that come no closer than this are accepted one by one: to ask for another costs a system call each.
constexpr std::chrono::microseconds kCrowd{200};
constexpr int kTurnedAwayAtOnce = 50;
constexpr Millis kOutOfDescriptors{100}, kOthersTurn{100};

}  // namespace

struct Listener::Impl {
  Impl(Loop& l, base::UniqueFd f, Accepted a, std::string b, std::function<bool()> w)
      : loop(l),
        fd(std::move(f)),
        accepted(std::move(a)),
        busy(std::move(b)),
        willing(std::move(w)),
        readable(l, fd.get(), Watch::For::kRead, [this] { on_readable(); }),
        again(l, [this] { readable.on(); }) {
    readable.on();
    keep_spare();
  }

  void keep_spare() {
    if (!busy.empty() && !spare) spare.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }

  void on_readable() {
    const auto now = loop.now();
    at_a_turn = now - last < kCrowd ? std::min(at_a_turn * 2, kMostAtATurn) : 1;
    last = now;
    for (int i = 0; i < at_a_turn && !paused; ++i) {
      if (willing && !willing()) return look_away(kOthersTurn);
      sockaddr_storage raw{};
      socklen_t length = sizeof raw;
      base::UniqueFd client = take(&raw, &length);
      if (!client) {
        accept_failed(errno);
        return;
      }
      accepted(std::move(client), SocketAddress(reinterpret_cast<const sockaddr*>(&raw), length));
    }
  }

  base::UniqueFd take(sockaddr_storage* raw, socklen_t* length) const {
    return base::UniqueFd(::accept4(fd.get(), reinterpret_cast<sockaddr*>(raw), length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  }

  void look_away(Millis time) {
    readable.off();
    again.start(time);
  }

  // Without descriptors the socket would stay readable and the loop would spin.
  void accept_failed(int err) {
    if (err != EMFILE && err != ENFILE && err != ENOBUFS && err != ENOMEM) return;
    turn_away();
    look_away(kOutOfDescriptors);
  }

  void turn_away() {
    keep_spare();
    for (int i = 0; i < kTurnedAwayAtOnce && spare; ++i) {
      spare.reset();
      base::UniqueFd client = take(nullptr, nullptr);
      const bool any = static_cast<bool>(client);
      if (any) (void)::send(client.get(), busy.data(), busy.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      client.reset();
      keep_spare();  // unless another thread was quicker
      if (!any) return;
    }
  }

  Loop& loop;
  base::UniqueFd fd, spare;
  Accepted accepted;
  const std::string busy;
  const std::function<bool()> willing;
  bool paused = false;
  int at_a_turn = 1;
  base::Mono last{};
  Watch readable;
  Timer again;
};

Listener::Listener(Loop& loop, base::UniqueFd fd, Accepted accepted, std::string busy, std::function<bool()> willing)
    : impl_(std::make_unique<Impl>(loop, std::move(fd), std::move(accepted), std::move(busy), std::move(willing))) {}

Listener::~Listener() = default;

void Listener::pause() {
  impl_->paused = true;
  impl_->again.stop();
  impl_->readable.off();
}

void Listener::resume() {
  impl_->paused = false;
  impl_->readable.on();
}

}  // namespace holdfast::net
