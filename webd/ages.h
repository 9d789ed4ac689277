// How old the queue's messages are, counted by age. To count a great queue takes a second: an answer is kept for ten, or
// for twenty times as long as it took.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "common/admin/gateway.h"
#include "common/admin/queue_filter.h"

namespace holdfast::webd {

class AgesCache {
 public:
  // {"ages": [{"from", "to", "messages", "bytes"}…], "at"}: seconds of age, `to` null for the oldest.
  base::Result<std::string> answer(admin::Gateway& gateway, const admin::QueueWords& words);

 private:
  struct Kept {
    std::string text;
    base::Mono until{};
  };
  std::mutex door_;
  std::map<std::string, Kept> kept_;
};

}  // namespace holdfast::webd
