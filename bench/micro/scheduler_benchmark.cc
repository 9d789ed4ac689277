// What qmgr decides for each message: which is next, what its outcome means, when it is tried again.
#include <benchmark/benchmark.h>

#include "common/config/presets.h"
#include "qmgr/lane.h"
#include "qmgr/retry_schedule.h"

namespace holdfast {
namespace {

using mail::DestinationState;

// A lane of messages that all go well: one is picked, another is done.
void lane_flow(benchmark::State& state) {
  qmgr::Lane lane({.max_connections = 80});
  (void)lane.set_state(DestinationState::kUp, 1);
  const qmgr::Assessment accepted{.sign = qmgr::Sign::kAccepted};
  const base::Mono now{};
  std::uint64_t last = 0;
  std::deque<mail::QueueId> under_way;
  for (auto _ : state) {
    if (lane.wants_refill()) {
      std::vector<qmgr::Candidate> more(1000);
      for (auto& c : more) c = {.arrival_ms = 1, .id = {++last}, .size = 4096};
      lane.refill(std::move(more), true);
    }
    while (auto pick = lane.next(now)) under_way.push_back(pick->message.id);
    benchmark::DoNotOptimize(lane.finished(under_way.front(), accepted, now));
    under_way.pop_front();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(lane_flow);

// The canary is the oldest small one: behind so many large ones in the window.
void lane_canary(benchmark::State& state) {
  const auto large = static_cast<std::uint64_t>(state.range(0));
  std::vector<qmgr::Candidate> window;
  for (std::uint64_t i = 1; i <= large + 1; ++i) window.push_back({.id = {i}, .size = i <= large ? 1ULL << 20 : 4096});
  std::int64_t since = 0;
  qmgr::Lane lane({.max_connections = 80});
  for (auto _ : state) {
    state.PauseTiming();
    (void)lane.set_state(DestinationState::kDown, ++since);
    (void)lane.set_state(DestinationState::kDraining, ++since);
    lane.refill(window, false);
    state.ResumeTiming();
    const auto pick = lane.next(base::Mono{});
    if (!pick || pick->message.id.value != large + 1) state.SkipWithError("another canary than the oldest small one");
    state.PauseTiming();
    if (pick) lane.drop(pick->message.id);
    state.ResumeTiming();
  }
}
BENCHMARK(lane_canary)->Arg(0)->Arg(999);

void retry_plan(benchmark::State& state) {
  const auto schedule = config::find_preset("default")->phases;
  storage::MessageRow row;
  row.arrival_ms = 0;
  std::int64_t now_ms = 1000;
  for (auto _ : state) {
    now_ms = now_ms % 300'000'000 + 900'000;
    qmgr::plan_next_attempt(row, now_ms - 900'000, now_ms, schedule, {});
    benchmark::DoNotOptimize(row.due_ms);
  }
}
BENCHMARK(retry_plan);

}  // namespace
}  // namespace holdfast
