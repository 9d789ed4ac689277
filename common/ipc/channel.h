// Framed messages over a Unix stream socket. A peer that sends a frame over kMaxFrame, an undecodable
// message, or something before its Hello, is cut off with a warning in the log; so is one of another account (peer.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/codec.h"
#include "common/ipc/frame.h"
#include "common/ipc/messages.h"
#include "common/net/loop.h"
#include "common/net/stream.h"

namespace holdfast::ipc {

// A received message: a type and its still encoded fields.
struct Incoming {
  Type type{};
  std::string_view body;   // valid during the callback only

  template <class M>
  std::optional<M> as() const {
    return type == M::kType ? base::decode<M>(body) : std::nullopt;
  }
};

class Channel {
 public:
  virtual ~Channel() = default;
  template <class M>
  void send(const M& message) { send_frame(M::kType, base::encode(message)); }
  virtual void send_frame(Type type, std::string_view body) = 0;
  virtual const Hello& peer() const = 0;
  virtual std::size_t unsent() const = 0;
  virtual bool may_command() const { return true; }  // give commands (Control): peer.h
  virtual void close() = 0;  // on_gone() does not follow
};

class ChannelHandler {
 public:
  virtual ~ChannelHandler() = default;
  virtual void on_peer(Channel&) {}                        // the peer's Hello has come
  // Return false for a message that is unknown or undecodable: the peer is cut off.
  virtual bool on_message(Channel& from, const Incoming& message) = 0;
  virtual void on_gone(Channel&) {}
};

// Listens on a path; each connection is a Channel the Server owns until on_gone() has returned.
class Server {
 public:
  Server(net::Loop& loop, const std::string& path, Hello self, ChannelHandler& handler);
  ~Server();
  base::Status start();          // binds
  void broadcast_frame(Type type, std::string_view body);
  template <class M>
  void broadcast(const M& message) { broadcast_frame(M::kType, base::encode(message)); }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Connects to a path and, when the connection ends or cannot be made, again every 100 ms growing to 1 s.
// on_peer() comes at each connection.
class Client {
 public:
  Client(net::Loop& loop, const std::string& path, Hello self, ChannelHandler& handler);
  ~Client();
  void start();
  Channel* channel();            // null while not connected
  template <class M>
  bool send(const M& message) {  // false: not connected, nothing was sent
    if (channel() == nullptr) return false;
    channel()->send(message);
    return true;
  }

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// What somebody hears whose commands are not obeyed (Channel::may_command()).
ControlReply refused_command();

// One question and its answer, blocking, for gatewayctl; kUnavailable when nobody listens or answers
// within `timeout`, or greets within 10 s: the longest question does not wait for a daemon that hangs.
base::Result<ControlReply> ask(const std::string& path, const Control& question, base::Seconds timeout);

}  // namespace holdfast::ipc
