#include <cerrno>

#include <sys/socket.h>

#include "common/net/stream.h"

namespace holdfast::net {
namespace {

constexpr int kAcceptsATurn = 8;
constexpr Millis kOutOfDescriptors{100};

}  // namespace

struct Listener::Impl {
  Impl(Loop& loop, base::UniqueFd f, Accepted a)
      : fd(std::move(f)),
        accepted(std::move(a)),
        readable(loop, fd.get(), Watch::For::kRead, [this] { on_readable(); }),
        again(loop, [this] { readable.on(); }) {
    readable.on();
  }

  void on_readable() {
    for (int i = 0; i < kAcceptsATurn && !paused; ++i) {
      sockaddr_storage raw{};
      socklen_t length = sizeof raw;
      base::UniqueFd client(
          ::accept4(fd.get(), reinterpret_cast<sockaddr*>(&raw), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client) {
        accept_failed(errno);
        return;
      }
      accepted(std::move(client), SocketAddress(reinterpret_cast<const sockaddr*>(&raw), length));
    }
  }

  // Without descriptors the socket would stay readable and the loop would spin.
  void accept_failed(int err) {
    if (err != EMFILE && err != ENFILE && err != ENOBUFS && err != ENOMEM) return;
    readable.off();
    again.start(kOutOfDescriptors);
  }

  base::UniqueFd fd;
  Accepted accepted;
  bool paused = false;
  Watch readable;
  Timer again;
};

Listener::Listener(Loop& loop, base::UniqueFd fd, Accepted accepted)
    : impl_(std::make_unique<Impl>(loop, std::move(fd), std::move(accepted))) {}

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
