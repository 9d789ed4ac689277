// Brings what is planned in the index in line with the configuration and the clock, a page at a time: deadlines
// after a reload (or a start) with another lifetime or delay warning, and attempts that are due later than any
// schedule could have set, because the clock was set back or the schedule is another. Lives on the loop; changes
// happen on the index writer's thread.
//
// The index remembers by which plan a destination's deadlines were made, so that a restart in between begins
// again; what was done already does not change.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "common/config/config.h"
#include "common/storage/batch_writer.h"
#include "common/storage/queue_index.h"

namespace holdfast::qmgr {

class Replanner {
 public:
  // `changed`: due times have moved, the windows are old.
  Replanner(storage::QueueIndex& index, storage::BatchWriter& writer, std::function<void()> changed);

  void configure(config::ConfigPtr config);
  // Looks for attempts that are farther away than any schedule could have set them. Costs the number of
  // destinations.
  void cap_waits();
  // Looks at every attempt that is still to come, whether it is farther away than its own wait.
  void clock_jumped();
  void stop() { stopping_ = true; }

 private:
  using Place = storage::QueueIndex::Place;
  enum class Kind : std::uint8_t { kDeadlines, kLongWaits, kAllWaits };
  struct Work {
    std::string destination;
    Kind kind = Kind::kDeadlines;
    Place behind{};
    bool made_anew = false;
    std::size_t moved = 0;
  };
  void add(const std::string& destination, Kind kind);
  void add_all(Kind kind);
  void next();
  bool needed(Work& work);
  void page(const Work& work);
  void finish(const Work& work);

  storage::QueueIndex& index_;
  storage::BatchWriter& writer_;
  const std::function<void()> changed_;
  config::ConfigPtr config_;
  storage::ReadTxn read_;
  std::deque<Work> to_do_;
  bool working_ = false, stopping_ = false;
};

}  // namespace holdfast::qmgr
