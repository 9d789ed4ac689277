#include "common/net/stream.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/stream_impl.h"

namespace holdfast::net {
namespace {

constexpr std::size_t kReadChunk = 64 << 10;
constexpr Millis kLinger{10'000};

std::string reason_of(int err) {
  std::string text = std::generic_category().message(err);
  if (!text.empty()) text[0] = static_cast<char>(text[0] | 0x20);
  return text;
}

}  // namespace

void Stream::Impl::on_readable() {
  const auto self = shared_from_this();
  static thread_local char chunk[kReadChunk];
  const ssize_t n = ::recv(fd.get(), chunk, sizeof chunk, 0);
  if (n > 0) {
    touch();
    const std::string_view bytes(chunk, static_cast<std::size_t>(n));
    if (state != State::kOpen) return;
    if (tls == nullptr) {
      handler->on_data(bytes);
    } else {
      on_wire(bytes);
    }
  } else if (n == 0) {
    end(shaking() ? "TLS: connection closed in the handshake" : "");
  } else if (errno != EAGAIN && errno != EINTR) {
    end((shaking() ? "TLS: " : "") + reason_of(errno));
  }
}

void Stream::Impl::on_writable() {
  const auto self = shared_from_this();
  if (state == State::kConnecting) {
    finish_connect();
  } else {
    send_now();
  }
}

void Stream::Impl::finish_connect() {
  int err = 0;
  socklen_t size = sizeof err;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &err, &size);
  if (err != 0) {
    end(reason_of(err));
    return;
  }
  connected();
}

void Stream::Impl::connected() {
  state = State::kOpen;
  writable.off();
  timer.stop();
  if (idle > Millis{0}) arm();
  readable.on();
  send_at_turn_end();
  handler->on_connected();
}

void Stream::Impl::send_at_turn_end() {
  if (unsent() == 0 || flush_waiting) return;
  flush_waiting = true;
  loop.flush_at_turn_end(shared_from_this());
}

void Stream::Impl::flush_turn() {
  flush_waiting = false;
  if (state == State::kOpen || state == State::kLingering) send_now();
}

// An error of send() is not reported from here: the peer's last words may still be readable, and the
// read side will see the end behind them.
void Stream::Impl::send_now() {
  if (tls != nullptr && tls->secured() && out.size() - sent < kSealAtOnce) tls->seal(kSealAtOnce);
  while (sent < out.size()) {
    const ssize_t n = ::send(fd.get(), out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      drop_sent();
      writable.on();
      return;
    }
    if (n < 0) {
      broken(errno);
      return;
    }
    sent += static_cast<std::size_t>(n);
    touch();
    if (sent == out.size() && tls != nullptr && !tls->pending.empty()) seal_more();
  }
  writable.off();
  if (out.empty()) return;
  out.clear();
  sent = 0;
  if (shaking()) return;
  if (state == State::kLingering) {
    all_lingered();
  } else {
    handler->on_sent();
  }
}

// A peer that never takes all must not make what it has taken pile up; moving the rest is worth it when
// it is the smaller part.
void Stream::Impl::drop_sent() {
  if (sent < kReadChunk || sent < out.size() / 2) return;
  out.erase(0, sent);
  sent = 0;
}

void Stream::Impl::broken(int err) {
  out.clear();
  if (tls != nullptr) tls->pending.clear();
  sent = 0;
  dead = true;
  writable.off();
  if (state == State::kLingering) {
    shut();
  } else if (paused) {
    loop.later([self = shared_from_this(), err] { self->end(reason_of(err)); });
  }
}

void Stream::Impl::on_timer() {
  const auto self = shared_from_this();
  if (state == State::kConnecting) {
    end("connection timed out");
  } else if (state == State::kLingering) {
    shut();
  } else if (shaking()) {
    end("TLS: handshake timed out");
  } else if (state == State::kOpen) {
    const auto quiet = std::chrono::duration_cast<Millis>(loop.now() - last_activity);
    if (quiet < idle) {
      timer.start(idle - quiet);
    } else if (!handler->on_idle()) {
      end("timed out");
    } else if (state == State::kOpen) {
      arm();
    }
  }
}

void Stream::Impl::arm() {
  touch();
  timer.start(idle);
}

void Stream::Impl::end(std::string reason) {
  if (state == State::kClosed) return;
  const bool tell = state != State::kLingering;
  shut();
  if (tell) handler->on_end(reason);
}

void Stream::Impl::shut() {
  if (state == State::kClosed) return;
  const auto self = shared_from_this();
  readable.off();
  writable.off();
  timer.stop();
  fd.reset();
  state = State::kClosed;
  out.clear();
  if (std::exchange(kept, false)) loop.let_go(this);
  tls.reset();
}

void Stream::Impl::linger() {
  if (state != State::kOpen) {
    shut();
    return;
  }
  state = State::kLingering;
  readable.off();
  if (tls != nullptr) {
    if (tls->secured()) tls->seal(tls->pending.size());
    tls->say_end();
    tls.reset();
  }
  if (dead) {
    shut();
  } else if (out.empty()) {
    all_lingered();
  } else {
    timer.start(kLinger);
    send_now();
  }
  if (state != State::kLingering) return;
  kept = true;
  loop.keep(shared_from_this());
}

// Bytes the peer sent and we never read would turn our close into a reset, which may overtake the
// last reply: they are read and dropped first.
void Stream::Impl::all_lingered() {
  int unread = 0;
  if (::ioctl(fd.get(), FIONREAD, &unread) != 0 || unread == 0) {
    shut();
    return;
  }
  ::shutdown(fd.get(), SHUT_WR);
  timer.start(kLinger);
  readable.on();
}

Stream::Stream(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Stream::Stream(Loop& loop, base::UniqueFd fd, StreamHandler& handler)
    : impl_(std::make_shared<Impl>(loop, std::move(fd), handler, Impl::State::kOpen)) {
  impl_->touch();
  impl_->readable.on();
}

std::unique_ptr<Stream> Stream::connect(Loop& loop, const SocketAddress& to, Millis timeout, StreamHandler& handler) {
  base::UniqueFd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int socket_errno = errno;
  if (fd && to.family() != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const int result = fd ? ::connect(fd.get(), to.raw(), to.length()) : -1;
  const int err = !fd ? socket_errno : result == 0 ? 0 : errno;
  auto impl = std::make_shared<Impl>(loop, std::move(fd), handler, Impl::State::kConnecting);
  if (err == EINPROGRESS) {
    impl->timer.start(timeout);
    impl->writable.on();
  } else {
    loop.later([impl, err] {
      if (impl->state != Impl::State::kConnecting) return;
      if (err == 0) {
        impl->connected();
      } else {
        impl->end(reason_of(err));
      }
    });
  }
  return std::unique_ptr<Stream>(new Stream(std::move(impl)));
}

Stream::~Stream() {
  if (impl_->state != Impl::State::kLingering) impl_->shut();
}

void Stream::write(std::string_view bytes) {
  if (bytes.empty() || !open() || impl_->dead) return;
  (impl_->tls == nullptr ? impl_->out : impl_->tls->pending).append(bytes);
  if (impl_->state != Impl::State::kConnecting) impl_->send_at_turn_end();
}

void Stream::flush() {
  if (impl_->state != Impl::State::kOpen) return;
  const auto self = impl_;
  self->send_now();
}

std::size_t Stream::unsent() const { return impl_->unsent(); }

void Stream::pause_reading() {
  impl_->paused = true;
  if (impl_->state == Impl::State::kOpen) impl_->readable.off();
}

void Stream::resume_reading() {
  if (!impl_->paused) return;
  impl_->paused = false;
  if (impl_->state == Impl::State::kOpen) impl_->readable.on();
}

void Stream::set_idle_timeout(Millis timeout) {
  impl_->idle = timeout;
  if (impl_->state != Impl::State::kOpen || impl_->shaking()) return;
  if (timeout > Millis{0}) {
    impl_->arm();
  } else {
    impl_->timer.stop();
  }
}

void Stream::close() { impl_->shut(); }

void Stream::close_when_sent() { impl_->linger(); }

bool Stream::open() const { return impl_->state == Impl::State::kConnecting || impl_->state == Impl::State::kOpen; }

int Stream::fd() const { return impl_->fd.get(); }

SocketAddress Stream::local_address() const {
  sockaddr_storage raw{};
  socklen_t length = sizeof raw;
  if (::getsockname(impl_->fd.get(), reinterpret_cast<sockaddr*>(&raw), &length) != 0) return {};
  return {reinterpret_cast<const sockaddr*>(&raw), length};
}

}  // namespace holdfast::net
