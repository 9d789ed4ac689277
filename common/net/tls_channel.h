// One TLS session between two buffers: bytes of the wire in, bytes of the wire out. Private to common/net.
//
// OpenSSL does no I/O of its own here. Given the socket it would read each record in two calls and write each in
// one; so the stream's own reads (64 KiB) and gathered writes serve as before, and nothing is copied in between.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/net/tls.h"

struct bio_st;

namespace holdfast::net::detail {

class TlsChannel {
 public:
  enum class Step { kDone, kMore, kClosed, kFailed };

  // What goes to the wire is appended to `wire`. `context` is what `ssl` was made of.
  TlsChannel(SslPtr ssl, bool server, std::shared_ptr<const void> context, std::string& wire);
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  // Bytes of the wire, to be used up by handshake() and read() until they say kMore, before they go.
  void feed(std::string_view wire) { in_ = wire; }
  // kDone: secured(). kFailed: reason() says why; an alert may be in the output.
  Step handshake();
  // kDone: `out` is a piece of what the peer says, valid until the next call.
  Step read(std::string_view& out);

  // What is to be said, kept until seal() may take it.
  std::string pending;
  // Moves up to `most` bytes of `pending` to the wire; only when secured().
  void seal(std::size_t most);
  // Says that nothing more follows.
  void say_end();

  bool secured() const { return secured_; }
  const TlsFacts& facts() const { return facts_; }
  const std::string& reason() const { return reason_; }

 private:
  friend struct ChannelBio;
  Step step_of(int result);
  void note_facts();

  SslPtr ssl_;
  std::shared_ptr<const void> context_;
  std::string& wire_;
  std::string_view in_;
  TlsFacts facts_;
  std::string reason_;
  bool secured_ = false, failed_ = false;
};

}  // namespace holdfast::net::detail
