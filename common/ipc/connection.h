// One end of a socket between daemons: what Server and Client share. Not for other rooms.
#pragma once

#include <functional>
#include <memory>

#include "common/ipc/channel.h"

namespace holdfast::ipc {

// Sends its Hello first; hands messages on once the peer's Hello has come and is right.
class Connection final : public Channel, public net::StreamHandler {
 public:
  struct Events {
    std::function<void()> peer;
    std::function<bool(const Incoming&)> message;
    std::function<void()> gone;  // the last call; the Connection may be destroyed in it
  };
  Connection(const Hello& self, Events events, bool may_command = true);
  void attach(std::unique_ptr<net::Stream> stream);  // connected, or connecting

  void send_frame(Type type, std::string_view body) override;
  const Hello& peer() const override { return peer_; }
  std::size_t unsent() const override { return stream_ ? stream_->unsent() : 0; }
  void close() override;
  bool may_command() const override { return may_command_; }
  bool greeted() const { return greeted_; }

  void on_data(std::string_view bytes) override;
  void on_end(std::string_view reason) override;

 private:
  bool take(const FrameReader::Frame& frame);
  bool take_hello(const FrameReader::Frame& frame);
  void cut(std::string_view why);

  Events events_;
  Hello peer_;
  bool greeted_ = false, may_command_;
  FrameReader reader_;
  std::unique_ptr<net::Stream> stream_;
  std::string early_;  // written before attach()
};

}  // namespace holdfast::ipc
