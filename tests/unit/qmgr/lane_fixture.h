// A lane, a clock that stands still, and the outcomes that a test makes up.
#pragma once

#include "qmgr/lane.h"

#include <gtest/gtest.h>

namespace holdfast::qmgr {

using ipc::DrainEvent;
using mail::DestinationState;
using mail::QueueId;
using base::Millis;

inline Assessment says(Sign sign, std::string who = "r@d.test") {
  Assessment a;
  a.sign = sign;
  a.reason = "reason";
  a.sender = who;
  if (sign == Sign::kRefusedKnown) a.refused = a.refused_known = {who};
  if (sign == Sign::kRefusedOther) a.refused = {who};
  return a;
}

class LaneTest : public testing::Test {
 protected:
  void fill(std::uint64_t from, std::uint64_t to, bool more = false, std::uint64_t size = 1000) {
    std::vector<Candidate> list;
    for (auto i = from; i <= to; ++i)
      list.push_back({.arrival_ms = static_cast<std::int64_t>(i), .id = {i}, .size = size});
    lane_.refill(std::move(list), more);
  }
  void drain_state(std::int64_t since = 100) { lane_.set_state(DestinationState::kDraining, since); }
  void up() { lane_.set_state(DestinationState::kUp, 50); }
  std::vector<std::uint64_t> hand_out() {
    std::vector<std::uint64_t> out;
    while (const auto pick = lane_.next(now_)) out.push_back(pick->message.id.value);
    return out;
  }
  std::vector<Settled> end(std::uint64_t id, Sign sign, std::string who = "r@d.test") {
    return lane_.finished(QueueId{id}, says(sign, std::move(who)), now_);
  }
  void canary_ok() {
    const auto pick = lane_.next(now_);
    ASSERT_TRUE(pick && pick->canary);
    lane_.finished(pick->message.id, says(Sign::kAccepted), now_);
  }
  static std::vector<Settled> only(std::uint64_t id, Treatment how) { return {{{id}, how}}; }

  Lane lane_{{.max_connections = 40, .probe_interval = Millis(120'000)}};
  base::Mono now_{std::chrono::hours(10)};
};

using Ids = std::vector<std::uint64_t>;

}  // namespace holdfast::qmgr
