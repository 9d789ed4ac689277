// What is inside a Stream: the connection (stream.cc) and TLS on it (stream_tls.cc). Private to common/net.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/net/stream.h"
#include "common/net/tls_channel.h"

namespace holdfast::net {

using detail::TlsChannel;

// Of what waits to be sent over TLS, how much is made ready at once.
inline constexpr std::size_t kSealAtOnce = 256 << 10;

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

  // stream.cc
  void on_readable();
  void on_writable();
  void finish_connect();
  void connected();
  void send_at_turn_end();
  void flush_turn() override;
  void send_now();
  void drop_sent();
  void broken(int err);
  void on_timer();
  void arm();
  void end(std::string reason);
  void shut();
  void linger();
  void all_lingered();

  // stream_tls.cc
  void on_wire(std::string_view bytes);
  void begin_tls(std::unique_ptr<TlsChannel> channel, Millis timeout, bool first);
  void shake();
  void end_in_order(const std::string& reason);
  void seal_more();

  bool shaking() const { return tls != nullptr && !tls->secured(); }
  std::size_t unsent() const { return out.size() - sent + (tls == nullptr ? 0 : tls->pending.size()); }
  // The timer runs on and looks at the last activity when it fires: no timer is touched for each read.
  void touch() { last_activity = loop.now(); }

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

}  // namespace holdfast::net
