// A connection with its own buffers, on plain events. Reads go to the handler as they come; writes are
// gathered and sent in one system call at the end of the loop's turn, or at once by flush().
//
// The handler is told of an end exactly once, and never of anything after it or after close(). It may
// destroy the Stream inside any callback.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/net/address.h"
#include "common/net/loop.h"
#include "common/net/tls.h"

namespace holdfast::net {

class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  virtual void on_connected() {}                          // streams made by connect() only
  virtual void on_data(std::string_view bytes) = 0;       // valid during the call only
  virtual void on_end(std::string_view reason) = 0;       // "" : the peer closed in order
  virtual void on_sent() {}                               // all that was written has gone to the kernel (also a handshake)
  virtual void on_secured() {}                            // start_tls() has led to a session: Stream::tls()
  // The idle time-out has come. True: dealt with (a last word and close_when_sent(), or waiting on: the
  // time starts again). False: the stream closes and on_end("timed out") follows.
  virtual bool on_idle() { return false; }
};

class Stream {
 public:
  // Takes a connected, non-blocking descriptor (an accepted client).
  Stream(Loop& loop, base::UniqueFd fd, StreamHandler& handler);
  // Starts to connect; on_connected() or on_end() follows, within `timeout`.
  static std::unique_ptr<Stream> connect(Loop& loop, const SocketAddress& to, Millis timeout, StreamHandler& handler);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void write(std::string_view bytes);
  void flush();
  std::size_t unsent() const;
  // Bounded memory: the owner stops reading while what it writes elsewhere does not drain.
  void pause_reading();
  void resume_reading();
  // The handshake, as the server or the client of it, once, on an open stream: what was written before goes out in the
  // clear, what is written from now on when the handshake is done, and on_data() gives no byte that came in the clear.
  // on_secured() follows, or on_end("TLS: certificate has expired") at a fault or after `timeout` in all.
  void start_tls(std::shared_ptr<const TlsServer> server, Millis timeout);
  // `name` is the server's, for SNI and the check of its certificate.
  void start_tls(std::shared_ptr<const TlsClient> client, const std::string& name, Millis timeout);
  bool secured() const;
  const TlsFacts& tls() const;  // empty unless secured()
  // on_end("timed out") after this long without a byte read or sent; zero: never. Restarted by each call.
  void set_idle_timeout(Millis timeout);
  void close();                 // at once; unsent bytes are dropped
  void close_when_sent();       // no more reads; closes when all has gone, or after 10 s; no callbacks
  bool open() const;
  int fd() const;
  SocketAddress local_address() const;

 private:
  struct Impl;
  explicit Stream(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// Accepts connections of a listening socket (shared with other processes). Accepts a few at a turn, so
// that the workers of one socket share the load.
class Listener {
 public:
  using Accepted = std::function<void(base::UniqueFd fd, SocketAddress peer)>;
  // Out of descriptors a client is accepted on one that is kept for it, told `busy` (a whole line) and
  // closed. Empty: such clients wait in the kernel's queue.
  // `willing`: asked before a client is accepted; while it says no, clients are left to whoever shares the socket, and
  // it is asked again ten times a second. Empty: always.
  Listener(Loop& loop, base::UniqueFd fd, Accepted accepted, std::string busy = {}, std::function<bool()> willing = {});
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void pause();    // out of descriptors, or ending
  void resume();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::net
