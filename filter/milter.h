// The filter's half of the milter protocol, by libmilter: a thread a connection. One a process, as libmilter is.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/time.h"
#include "filter/policy.h"
#include "filter/scan.h"

namespace holdfast::filter {

struct MilterLimits {
  std::size_t message = 256 << 20;     // a longer one is not held, and counts as damaged
  std::uint64_t held = 512ULL << 20;   // of all messages that are coming in; more get a 4xx
  int connections = 1'000;
  int scans = 4;                       // at a time
};

class Milter {
 public:
  // Told of each message in which something was found, on that connection's thread: the queue id as the MTA says it (maybe
  // empty), and what it was.
  using Told = std::function<void(std::string_view id, const Report& report)>;

  Milter(std::shared_ptr<const Policy> policy, MilterLimits limits, Told told);

  // Listens on the Unix socket `path`, in place of what was left there; kUnavailable. Blocks for a moment.
  base::Status open(const std::string& path);
  // Serves until stop(), or until there is something wrong with the socket. Blocks; its own thread.
  void serve();
  static void stop();

  // For messages whose end has not come yet. Any thread.
  void set_policy(std::shared_ptr<const Policy> policy);
  // How long the oldest scan that runs has been running; 0: none runs. Any thread.
  base::Seconds oldest_scan(base::Mono now) const;
  bool idle() const;  // none runs

  // For the callbacks (milter.cc).
  struct Session;
  bool arrive();
  void leave();
  bool hold(Session& session, std::string_view bytes);
  void release(Session& session);
  int judge(void* context, Session& session);

 private:
  class Turn;
  std::shared_ptr<const Policy> policy() const;
  Report look(const std::string& content, bool whole);

  const MilterLimits limits_;
  const Told told_;
  mutable std::mutex mutex_;
  std::condition_variable_any free_;
  std::shared_ptr<const Policy> policy_;
  std::multiset<base::Mono> running_;
  std::atomic<std::uint64_t> held_{0};
  std::atomic<int> connections_{0};
};

}  // namespace holdfast::filter
