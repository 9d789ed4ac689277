#include "common/net/stream.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/tls_channel.h"

namespace holdfast::net {
namespace {

constexpr std::size_t kReadChunk = 64 << 10;
constexpr Millis kLinger{10'000};
// Of what waits to be sent over TLS, how much is made ready at once.
constexpr std::size_t kSealAtOnce = 256 << 10;

// TLS answers some records by itself (an attempt to renegotiate by an alert): for a peer that reads none of it.
constexpr std::size_t kMostOfTls = 4 * kSealAtOnce;

using detail::TlsChannel;

std::string reason_of(int err) {
  std::string text = std::generic_category().message(err);
  if (!text.empty()) text[0] = static_cast<char>(text[0] | 0x20);
  return text;
}

}  // namespace

struct Stream::Impl : Loop::Flushable, std::enable_shared_from_this<Stream::Impl> {
  enum class State { kConnecting, kOpen, kLingering, kClosed };

  Impl(Loop& l, base::UniqueFd f, StreamHandler& h, State s)
      : loop(l),
        fd(std::move(f)),
        handler(&h),
        state(s),
        readable(l, fd.get(), Watch::For::kRead, [this] { on_readable(); }),
        writable(l, fd.get(), Watch::For::kWrite, [this] { on_writable(); }),
        timer(l, [this] { on_timer(); }) {}

  void on_readable() {
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

  bool shaking() const { return tls != nullptr && !tls->secured(); }

  void on_wire(std::string_view bytes) {
    tls->feed(bytes);
    if (!tls->secured()) shake();
    std::string_view plain;
    while (state == State::kOpen && tls->secured()) {
      const auto step = tls->read(plain);
      if (step == TlsChannel::Step::kMore) break;
      if (step != TlsChannel::Step::kDone) {
        end_in_order(step == TlsChannel::Step::kClosed ? "" : "TLS: " + tls->reason());
        return;
      }
      handler->on_data(plain);
    }
    if (state != State::kOpen) return;
    if (out.size() - sent > kMostOfTls) {
      end("TLS: the peer does not read");
    } else {
      send_at_turn_end();
    }
  }

  void begin_tls(std::unique_ptr<TlsChannel> channel, Millis timeout, bool first) {
    tls = std::move(channel);
    paused = false;
    readable.on();
    timer.start(timeout);
    if (first) tls->handshake();
    send_at_turn_end();
  }

  void shake() {
    switch (tls->handshake()) {
      case TlsChannel::Step::kMore: return;
      case TlsChannel::Step::kDone: break;
      case TlsChannel::Step::kClosed: end_in_order("TLS: connection closed in the handshake"); return;
      case TlsChannel::Step::kFailed: end_in_order("TLS: " + tls->reason()); return;
    }
    timer.stop();
    if (idle > Millis{0}) arm();
    handler->on_secured();
  }

  // The peer is told too, by an alert.
  void end_in_order(const std::string& reason) {
    linger();
    handler->on_end(reason);
  }

  void on_writable() {
    const auto self = shared_from_this();
    if (state == State::kConnecting) {
      finish_connect();
    } else {
      send_now();
    }
  }

  void finish_connect() {
    int err = 0;
    socklen_t size = sizeof err;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &err, &size);
    if (err != 0) {
      end(reason_of(err));
      return;
    }
    connected();
  }

  void connected() {
    state = State::kOpen;
    writable.off();
    timer.stop();
    if (idle > Millis{0}) arm();
    readable.on();
    send_at_turn_end();
    handler->on_connected();
  }

  void send_at_turn_end() {
    if (unsent() == 0 || flush_waiting) return;
    flush_waiting = true;
    loop.flush_at_turn_end(shared_from_this());
  }

  std::size_t unsent() const { return out.size() - sent + (tls == nullptr ? 0 : tls->pending.size()); }

  void flush_turn() override {
    flush_waiting = false;
    if (state == State::kOpen || state == State::kLingering) send_now();
  }

  // An error of send() is not reported from here: the peer's last words may still be readable, and the
  // read side will see the end behind them.
  void send_now() {
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

  void seal_more() {
    if (!tls->secured()) return;
    out.clear();
    sent = 0;
    tls->seal(kSealAtOnce);
  }

  // A peer that never takes all must not make what it has taken pile up; moving the rest is worth it when
  // it is the smaller part.
  void drop_sent() {
    if (sent < kReadChunk || sent < out.size() / 2) return;
    out.erase(0, sent);
    sent = 0;
  }

  void broken(int err) {
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

  void on_timer() {
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

  // The timer runs on and looks at the last activity when it fires: no timer is touched for each read.
  void touch() { last_activity = loop.now(); }
  void arm() {
    touch();
    timer.start(idle);
  }

  void end(std::string reason) {
    if (state == State::kClosed) return;
    const bool tell = state != State::kLingering;
    shut();
    if (tell) handler->on_end(reason);
  }

  void shut() {
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

  void linger() {
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
  void all_lingered() {
    int unread = 0;
    if (::ioctl(fd.get(), FIONREAD, &unread) != 0 || unread == 0) {
      shut();
      return;
    }
    ::shutdown(fd.get(), SHUT_WR);
    timer.start(kLinger);
    readable.on();
  }

  Loop& loop;
  base::UniqueFd fd;
  StreamHandler* handler;
  State state;
  std::string out;
  std::size_t sent = 0;
  bool flush_waiting = false, paused = false, dead = false;
  Millis idle{0};
  base::Mono last_activity{};
  Watch readable, writable;
  Timer timer;
  bool kept = false;  // by the loop: a closing connection that outlives its Stream
  std::unique_ptr<TlsChannel> tls;  // from start_tls() on
};

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

void Stream::start_tls(std::shared_ptr<const TlsServer> server, Millis timeout) {
  if (impl_->state != Impl::State::kOpen) return;
  auto session = server->session();
  impl_->begin_tls(std::make_unique<TlsChannel>(std::move(session), true, std::move(server), impl_->out), timeout, false);
}

void Stream::start_tls(std::shared_ptr<const TlsClient> client, const std::string& name, Millis timeout) {
  if (impl_->state != Impl::State::kOpen) return;
  auto session = client->session(name);
  impl_->begin_tls(std::make_unique<TlsChannel>(std::move(session), false, std::move(client), impl_->out), timeout, true);
}

bool Stream::secured() const { return impl_->tls != nullptr && impl_->tls->secured(); }

const TlsFacts& Stream::tls() const {
  static const TlsFacts none;
  return secured() ? impl_->tls->facts() : none;
}

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
