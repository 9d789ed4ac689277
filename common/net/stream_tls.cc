// TLS on a stream: the handshake, and records between the socket's buffers and the owner's bytes.
#include <utility>

#include "common/net/stream_impl.h"

namespace holdfast::net {
namespace {

// TLS answers some records by itself (an attempt to renegotiate by an alert): for a peer that reads none of it.
constexpr std::size_t kMostOfTls = 4 * kSealAtOnce;

}  // namespace

void Stream::Impl::on_wire(std::string_view bytes) {
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

void Stream::Impl::begin_tls(std::unique_ptr<TlsChannel> channel, Millis timeout, bool first) {
  tls = std::move(channel);
  paused = false;
  readable.on();
  timer.start(timeout);
  if (first) tls->handshake();
  send_at_turn_end();
}

void Stream::Impl::shake() {
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
void Stream::Impl::end_in_order(const std::string& reason) {
  linger();
  handler->on_end(reason);
}

void Stream::Impl::seal_more() {
  if (!tls->secured()) return;
  out.clear();
  sent = 0;
  tls->seal(kSealAtOnce);
}

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

}  // namespace holdfast::net
