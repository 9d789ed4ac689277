#include "qmgr/road.h"

#include <algorithm>
#include <utility>

namespace holdfast::qmgr {

void Road::begin_state() {
  const bool draining = lane.state() == mail::DestinationState::kDraining;
  sweep = {.since_ms = draining ? lane.since_ms() : 0, .behind = {}, .ended = false};
  next_due_ms.reset();
  last_report = {};
  lane.touch();
}

void Road::load_anew() {
  lane.drop_window();
  sweep.behind = {};
  sweep.ended = false;
}

void Road::touch_if_due(std::int64_t now_ms) {
  if (!next_due_ms || *next_due_ms > now_ms) return;
  next_due_ms.reset();
  lane.touch();
}

void Road::look_again(std::int64_t arrival_ms, mail::QueueId id) {
  if (sweep.since_ms == 0) return;
  const storage::QueueIndex::Place before{arrival_ms, {id.value - 1}};
  sweep.behind = std::min(sweep.behind, before);
  sweep.ended = false;
}

bool Road::load(const storage::QueueIndex& index, const storage::Txn& txn, const std::string& name, std::int64_t now_ms,
                const std::function<bool(mail::QueueId)>& skip) {
  auto loaded = load_window(index, txn, name, sweep, now_ms,
                            [&](mail::QueueId id) { return skip(id) || lane.in_window(id); });
  const bool only_skipped = loaded.candidates.empty() && loaded.more;
  next_due_ms = loaded.next_due_ms;
  lane.refill(std::move(loaded.candidates), loaded.more);
  return only_skipped;
}

}  // namespace holdfast::qmgr
