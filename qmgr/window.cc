#include "qmgr/window.h"

#include "qmgr/outcome_effect.h"

namespace holdfast::qmgr {
namespace {

using storage::QueueIndex;

constexpr std::size_t kLookAtMost = 5000;

void sweep_by_age(const QueueIndex& index, const storage::Txn& txn, const std::string& destination, Sweep& sweep,
                  std::int64_t now_ms, const std::function<bool(mail::QueueId)>& skip, Loaded& out) {
  std::size_t looked = 0;
  bool stopped = false;
  index.by_age(txn, destination, sweep.behind, [&](QueueIndex::Place place, const storage::Waiting& waiting) {
    if (out.candidates.size() >= kWindow || looked++ >= kLookAtMost) {
      stopped = true;
      return false;
    }
    sweep.behind = place;
    // An attempt in the future was made by a clock that was ahead.
    const bool untried = waiting.last_attempt_ms < sweep.since_ms || waiting.last_attempt_ms > now_ms;
    const bool due = (untried && waiting.due_ms < kNever) || waiting.due_ms <= now_ms;
    if (waiting.state == storage::MessageState::kDeferred && due && !skip(place.id)) {
      out.candidates.push_back({place.time_ms, place.id, waiting.size});
    }
    return true;
  });
  sweep.ended = !stopped;
  out.more = stopped;
}

void take_due(const QueueIndex& index, const storage::Txn& txn, const std::string& destination, std::int64_t now_ms,
              const std::function<bool(mail::QueueId)>& skip, Loaded& out) {
  index.by_due(txn, destination, {}, [&](QueueIndex::Place place) {
    if (place.time_ms > now_ms) {
      out.next_due_ms = place.time_ms;
      return false;
    }
    if (out.candidates.size() >= kWindow) {
      out.more = true;
      return false;
    }
    if (skip(place.id)) return true;
    const auto row = index.message(txn, place.id);
    if (row) out.candidates.push_back({row->arrival_ms, place.id, row->size});
    return true;
  });
}

}  // namespace

Loaded load_window(const QueueIndex& index, const storage::Txn& txn, const std::string& destination, Sweep& sweep,
                   std::int64_t now_ms, const std::function<bool(mail::QueueId)>& skip) {
  Loaded out;
  if (sweep.since_ms > 0 && !sweep.ended) {
    sweep_by_age(index, txn, destination, sweep, now_ms, skip, out);
    if (!out.candidates.empty() || out.more) {
      out.more = true;  // what is due by time comes after the sweep
      return out;
    }
  }
  take_due(index, txn, destination, now_ms, skip, out);
  return out;
}

}  // namespace holdfast::qmgr
