// Carries what this process announces (base/announce.h) to alertd, and keeps the last of it while alertd is away.
// One a process; belongs to the loop's thread, but announce() may be called from any.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "common/ipc/channel.h"
#include "common/net/loop.h"

namespace holdfast::daemon {

class EventSender : private ipc::ChannelHandler {
 public:
  static constexpr std::size_t kMost = 200;  // kept while alertd is away: the oldest go first, and are counted

  EventSender(net::Loop& loop, const std::string& socket, ipc::Hello self);  // takes the hook
  ~EventSender();                                                           // gives it back
  EventSender(const EventSender&) = delete;
  EventSender& operator=(const EventSender&) = delete;

  std::size_t waiting() const { return waiting_.size(); }

 private:
  void take(ipc::Event event);
  void flush();
  void on_peer(ipc::Channel&) override { flush(); }
  bool on_message(ipc::Channel&, const ipc::Incoming& message) override;

  net::Loop& loop_;
  std::deque<ipc::Event> waiting_;  // in order: what alertd has not confirmed yet
  std::uint64_t last_ = 0, dropped_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  ipc::Client client_;
};

}  // namespace holdfast::daemon
