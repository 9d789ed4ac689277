#include "qmgr/replanner.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "qmgr/lifetime.h"
#include "qmgr/outcome_effect.h"
#include "qmgr/retry_schedule.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;
using storage::MessageState;
using storage::QueueIndex;

constexpr std::size_t kPage = 500;

std::int64_t wall_ms() { return base::to_millis(base::wall_now()); }

// Who waits longer than `latest`, and is not waiting for its report.
std::vector<QueueId> too_far(const QueueIndex& index, const storage::Txn& txn, const std::string& destination,
                             std::int64_t latest) {
  std::vector<QueueId> out;
  index.by_due(txn, destination, {latest, {}}, [&](QueueIndex::Place place) {
    if (place.time_ms >= kNever) return false;
    out.push_back(place.id);
    return out.size() < kPage;
  });
  return out;
}

}  // namespace

Replanner::Replanner(QueueIndex& index, storage::BatchWriter& writer, std::function<void()> changed)
    : index_(index), writer_(writer), changed_(std::move(changed)), read_(index.env()) {}

void Replanner::configure(config::ConfigPtr config) {
  config_ = std::move(config);
  to_do_.clear();  // what is under way ends with its page
  const storage::ReadTxn::View view(read_);
  if (!view) return;
  for (const auto& [name, destination] : config_->destinations) add(name, true);
  add(std::string(config::kBounces), true);
  index_.each_counter(read_, [&](std::string_view name, const storage::Counter& counter) {
    if (counter.messages() > 0 && config_->find_destination(name) == nullptr) add(std::string(name), true);
  });
  cap_waits();
}

void Replanner::cap_waits() {
  for (const auto& [name, destination] : config_->destinations) add(name, false);
  add(std::string(config::kBounces), false);
  next();
}

void Replanner::add(const std::string& destination, bool deadlines) {
  const bool there = std::ranges::any_of(to_do_, [&](const Work& w) { return w.destination == destination && w.deadlines == deadlines; });
  if (!there) to_do_.push_back({.destination = destination, .deadlines = deadlines});
}

void Replanner::next() {
  if (working_ || stopping_) return;
  while (!to_do_.empty()) {
    Work work = std::move(to_do_.front());
    to_do_.pop_front();
    if (!needed(work)) continue;
    working_ = true;
    return page(work);
  }
}

bool Replanner::needed(Work& work) {
  const storage::ReadTxn::View view(read_);
  if (!view) return false;  // the next look comes
  if (work.deadlines) {
    const auto before = index_.plan(read_, work.destination);
    work.made_anew = !before;
    return before != plan_of(*config_, work.destination);
  }
  const auto* destination = config_->find_destination(work.destination);
  return destination != nullptr &&
         !too_far(index_, read_, work.destination, latest_due_ms(destination->schedule, wall_ms(), destination->jitter)).empty();
}

namespace {

struct PageResult {
  QueueIndex::Place last;
  bool more = false;
  std::size_t moved = 0;
};

base::Status replan_page(QueueIndex& index, storage::WriteTxn& txn, const std::string& destination,
                         QueueIndex::Place behind, bool made_anew, const QueueIndex::Plan& plan, PageResult& result) {
  result = {.last = behind};
  std::vector<QueueId> ids;
  index.by_age(txn, destination, behind, [&](QueueIndex::Place place, const storage::Waiting&) {
    ids.push_back(place.id);
    result.last = place;
    return ids.size() < kPage;
  });
  result.more = ids.size() == kPage;
  for (const auto id : ids) {
    auto row = index.message(txn, id);
    if (!row || !replan(*row, plan, made_anew)) continue;
    ++result.moved;
    if (auto done = index.update(txn, id, *row); !done) return done;
  }
  return result.more ? base::Status{} : index.put_plan(txn, destination, plan);
}

base::Status cap_page(QueueIndex& index, storage::WriteTxn& txn, const config::Destination& destination,
                      std::int64_t now_ms, std::uint64_t seed, PageResult& result) {
  result = {};
  const auto ids = too_far(index, txn, destination.name, latest_due_ms(destination.schedule, now_ms, destination.jitter));
  result.more = ids.size() == kPage;
  for (const auto id : ids) {
    auto row = index.message(txn, id);
    if (!row || row->state != MessageState::kDeferred) continue;
    // Spread, though all of them are planned at once. Repeated, the operation does the same.
    const double chance = static_cast<double>((seed ^ (id.value * 0x9E3779B97F4A7C15ULL)) >> 11) / static_cast<double>(1ULL << 53);
    plan_next_attempt(*row, std::min(row->last_attempt_ms, now_ms), now_ms, destination.schedule,
                      {.percent = destination.jitter, .chance = chance});
    ++result.moved;
    if (auto done = index.update(txn, id, *row); !done) return done;
  }
  return {};
}

}  // namespace

void Replanner::page(const Work& work) {
  const auto result = std::make_shared<PageResult>();
  const auto now_ms = wall_ms();
  writer_.submit(
      [&index = index_, work, config = config_, now_ms, seed = base::random_number(), result](storage::WriteTxn& txn) -> base::Status {
        if (work.deadlines) {
          return replan_page(index, txn, work.destination, work.behind, work.made_anew, plan_of(*config, work.destination), *result);
        }
        const auto* destination = config->find_destination(work.destination);
        return destination == nullptr ? base::Status{} : cap_page(index, txn, *destination, now_ms, seed, *result);
      },
      [this, work = Work(work), config = config_, result]() mutable {
        working_ = false;
        work.moved += result->moved;
        work.behind = result->last;
        if (result->moved > 0 && !work.deadlines) changed_();
        if (result->more && config == config_) {  // with a new configuration it is all looked at again
          to_do_.push_front(work);
        } else if (work.moved > 0) {
          base::log().notice(fmt::format("destination {}: {} of {} messages planned anew", work.destination,
                                         work.deadlines ? "deadlines" : "attempts", work.moved));
        }
        next();
      });
}

}  // namespace holdfast::qmgr
