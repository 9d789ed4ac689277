// What the dispatcher keeps of one destination: its lane, and how far its queue has been loaded into the lane's
// window. Lives on the loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/base/time.h"
#include "common/storage/queue_index.h"
#include "qmgr/lane.h"
#include "qmgr/window.h"

namespace holdfast::qmgr {

struct Road {
  explicit Road(Lane::Limits limits) : lane(limits) {}

  // The lane has got a new state: a drain sweeps through the whole queue.
  void begin_state();
  // Messages were changed behind our back.
  void load_anew();
  void touch_if_due(std::int64_t now_ms);
  // A message that comes back as it was may lie behind the sweep of a drain, and be due by that alone.
  void look_again(std::int64_t arrival_ms, mail::QueueId id);
  // Fills the lane's window; `skip` are those handed out. True when it met nobody but these, and must go on.
  bool load(const storage::QueueIndex& index, const storage::Txn& txn, const std::string& name, std::int64_t now_ms,
            const std::function<bool(mail::QueueId)>& skip);

  Lane lane;
  Sweep sweep;
  std::optional<std::int64_t> next_due_ms;
  std::size_t settling = 0;                      // outcomes on their way into the index
  base::Mono last_report{}, last_probe{};
};

}  // namespace holdfast::qmgr
