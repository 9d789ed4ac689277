// Takes what smtpd learnt to the directory: new recipients at once, mere counts for the coverage in
// batches, so that calm traffic costs no commit a second. Belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/ipc/messages.h"
#include "common/net/loop.h"
#include "prober/store.h"

namespace holdfast::prober {

class Learner {
 public:
  Learner(net::Loop& loop, Store& store, config::ConfigPtr config);
  ~Learner();  // hands over what it has

  void reload(config::ConfigPtr config) { config_ = std::move(config); }

  struct Destinations {
    // The destination took this recipient; true: it was under suspicion, so write it at once.
    std::function<bool(const std::string& destination, const std::string& key)> accepted;
    std::function<std::int64_t(std::string_view destination)> downtime_ms;
  };
  void set_destinations(Destinations destinations) { destinations_ = std::move(destinations); }

  void learn(const ipc::Learn& lesson);

 private:
  static constexpr std::size_t kMostWaiting = 50'000;  // recipients; more are not counted
  static constexpr std::size_t kMostPending = 10'000;  // operations the directory has not committed

  void flush();

  Store& store_;
  config::ConfigPtr config_;
  Destinations destinations_;
  std::map<std::string, ipc::LearntRecipient> waiting_;
  net::Timer flush_;
};

// Every domain's learnt recipients that have expired, some at a time; rows of domains that are no longer
// ours go with their last recipient.
void expire_recipients(Store& store, const config::ConfigPtr& config);

}  // namespace holdfast::prober
