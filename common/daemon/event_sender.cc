#include "common/daemon/event_sender.h"

#include <utility>

#include "common/base/announce.h"
#include "common/base/time.h"

namespace holdfast::daemon {

EventSender::EventSender(net::Loop& loop, const std::string& socket, ipc::Hello self)
    : loop_(loop), client_(loop, socket, std::move(self), *this) {
  base::set_announce_hook([this, alive = alive_](std::string_view name, const base::Facts& facts) {
    ipc::Event event{.name = std::string(name), .facts = {}, .at_ms = base::to_millis(base::wall_now()), .number = 0, .dropped = 0};
    for (const auto& [key, value] : facts) event.facts.push_back({std::string(key), std::string(value.substr(0, 1000))});
    loop_.post([this, alive, event = std::move(event)]() mutable {
      if (*alive) take(std::move(event));
    });
  });
  client_.start();
}

EventSender::~EventSender() {
  base::set_announce_hook({});
  *alive_ = false;
}

void EventSender::take(ipc::Event event) {
  event.number = ++last_;
  if (waiting_.size() >= kMost) {
    waiting_.pop_front();
    ++dropped_;
  }
  event.dropped = dropped_;
  waiting_.push_back(std::move(event));
  client_.send(waiting_.back());
}

// All that was not confirmed: alertd knows by their numbers what it has had.
void EventSender::flush() {
  for (const auto& event : waiting_) client_.send(event);
}

bool EventSender::on_message(ipc::Channel&, const ipc::Incoming& message) {
  const auto taken = message.as<ipc::EventTaken>();
  if (!taken) return false;
  while (!waiting_.empty() && waiting_.front().number <= taken->number) waiting_.pop_front();
  return true;
}

}  // namespace holdfast::daemon
