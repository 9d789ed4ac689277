// gatewayctl's questions to alertd. Answers are one JSON object.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "alertd/alert_book.h"
#include "alertd/outbox.h"
#include "common/config/config.h"
#include "common/ipc/messages.h"

namespace holdfast::alertd {

// How a road did last; since our start.
struct RoadState {
  std::int64_t ok_ms = 0, failed_ms = 0;
  std::string said;                  // the last answer, good or bad
};
using RoadStates = std::map<std::string, RoadState, std::less<>>;

class ControlDesk {
 public:
  using Reply = std::function<void(const ipc::ControlReply&)>;
  struct Test {
    std::string road;
    bool ok = false;
    std::string said;
  };

  ControlDesk(AlertBook& book, const Outbox& outbox, const RoadStates& states) : book_(book), outbox_(outbox), states_(states) {}

  // `changed`: the book has changed.
  ipc::ControlReply answer(const ipc::Control& question, const config::Config& config, const std::vector<std::string>& roads,
                           std::int64_t now_ms, bool& changed);
  static ipc::ControlReply tested(const std::vector<Test>& tests);

 private:
  ipc::ControlReply list(const std::vector<std::string>& roads, std::int64_t now_ms) const;
  ipc::ControlReply acknowledge(const ipc::Control& question, std::int64_t now_ms, bool& changed);
  ipc::ControlReply silence(const ipc::Control& question, const config::Config& config, std::int64_t now_ms, bool& changed);
  ipc::ControlReply unsilence(const ipc::Control& question, bool& changed);

  AlertBook& book_;
  const Outbox& outbox_;
  const RoadStates& states_;
};

}  // namespace holdfast::alertd
