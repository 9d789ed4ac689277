// The live stream: server-sent events to every page that is open. `status` with the whole status when it has changed, at
// once to a new page, at most one a second; `queue` with the queue's counters likewise; `ping` when nothing was sent for
// 10 s; `end` when the session is over. Belongs to the loop's thread; the status is made on a thread of the desk.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "common/net/loop.h"
#include "webd/server.h"

namespace holdfast::webd {

class Live {
 public:
  static constexpr std::size_t kMostPages = 64;
  static constexpr std::size_t kMostUnsent = 1 << 20;

  // `look` makes the status somewhere else and gives it back on the loop's thread; false: not now.
  using Look = std::function<bool(std::function<void(std::string status)>)>;
  Live(net::Loop& loop, Look look);

  // False: there are too many pages. `still_valid` is asked once a second.
  bool add(std::shared_ptr<Exchange> page, std::function<bool()> still_valid);
  void end_all();
  std::size_t size() const { return pages_.size(); }

 private:
  struct Page {
    std::shared_ptr<Exchange> exchange;
    std::function<bool()> still_valid;
    base::Mono sent{};
    bool greeted = false;
    bool gone = false;
  };
  void tick();
  void tell(const std::string& status);
  void send(Page& page, const std::string& text);
  void sweep();

  net::Loop& loop_;
  Look look_;
  net::Timer timer_;
  std::list<Page> pages_;
  std::string last_status_, last_queue_;  // what they are compared by
  std::string status_event_, queue_event_;
  bool looking_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

 public:
  ~Live() { *alive_ = false; }
};

}  // namespace holdfast::webd
