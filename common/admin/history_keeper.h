// The history as webd runs it: every 10 s the figures of that moment are handed in, and graphs ask. Writing happens on a
// thread of its own. Where the history cannot be opened or written there are no graphs, and nothing else is lost.
//
//   keeper.add(gather_figures(gateway, version));        each HistoryKeeper::kEvery, from any one thread
//   keeper.answer({"queue.messages"}, from, to);         from the thread that made it
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/admin/figures.h"
#include "common/base/error.h"
#include "common/base/time.h"
#include "common/storage/batch_writer.h"
#include "common/storage/history.h"

namespace holdfast::admin {

class HistoryKeeper {
 public:
  static constexpr base::Seconds kEvery{10};

  // `health` is told, on the writer's thread, when writing begins to fail and when it works again (nothing).
  using Health = std::function<void(const std::optional<base::Error>&)>;
  static base::Result<std::unique_ptr<HistoryKeeper>> open(const std::string& state_folder, Health health = {});

  void add(Figures figures);
  // All that was handed in is on disk when it returns.
  ~HistoryKeeper();

  // GET history: {"series": […], with each {"series", "unit", "step", "points": [[t, value|null]…]}}; times in seconds
  // since 1970. Without names it is {"series": [{"name", "unit", "help"}…]}, of all that there are. kTemporary when too many read.
  base::Result<std::string> answer(const std::vector<std::string>& names, std::int64_t from, std::int64_t to);
  // A view of the history, from the thread that made it too.
  base::Status read(const std::function<void(const storage::History&, const storage::Txn&)>& questions);

 private:
  HistoryKeeper(std::unique_ptr<storage::History> history, Health health);

  std::unique_ptr<storage::History> history_;
  storage::ReadTxn read_;
  std::optional<Figures> before_;
  base::Mono before_at_{};
  std::unique_ptr<storage::BatchWriter> writer_;  // last: its thread uses the rest
};

// The answer as JSON; `now` in seconds since 1970. Pure but for the view.
std::string history_json(const storage::History& history, const storage::Txn& txn, const std::vector<std::string>& names,
                         std::int64_t from, std::int64_t to, std::int64_t now);

}  // namespace holdfast::admin
