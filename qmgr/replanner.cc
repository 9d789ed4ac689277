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

// What is due behind a place, but not what waits for its report.
std::vector<QueueIndex::Place> due_behind(const QueueIndex& index, const storage::Txn& txn,
                                          const std::string& destination, QueueIndex::Place behind, std::size_t most) {
  std::vector<QueueIndex::Place> out;
  index.by_due(txn, destination, behind, [&](QueueIndex::Place place) {
    if (place.time_ms >= kNever) return false;
    out.push_back(place);
    return out.size() < most;
  });
  return out;
}

std::int64_t latest(const config::Destination& destination, std::int64_t now_ms) {
  return latest_due_ms(destination.schedule, now_ms, destination.jitter);
}

}  // namespace

Replanner::Replanner(QueueIndex& index, storage::BatchWriter& writer, std::function<void()> changed)
    : index_(index), writer_(writer), changed_(std::move(changed)), read_(index.env()) {}

void Replanner::configure(config::ConfigPtr config) {
  config_ = std::move(config);
  to_do_.clear();  // what is under way ends with its page
  const storage::ReadTxn::View view(read_);
  if (!view) return;
  add_all(Kind::kDeadlines);
  index_.each_counter(read_, [&](std::string_view name, const storage::Counter& counter) {
    if (counter.messages() > 0 && config_->find_destination(name) == nullptr) add(std::string(name), Kind::kDeadlines);
  });
  cap_waits();
}

void Replanner::cap_waits() {
  add_all(Kind::kLongWaits);
  next();
}

void Replanner::clock_jumped() {
  add_all(Kind::kAllWaits);
  next();
}

void Replanner::add_all(Kind kind) {
  for (const auto& [name, destination] : config_->destinations) add(name, kind);
  add(std::string(config::kBounces), kind);
}

void Replanner::add(const std::string& destination, Kind kind) {
  const bool there =
      std::ranges::any_of(to_do_, [&](const Work& w) { return w.destination == destination && w.kind == kind; });
  if (!there) to_do_.push_back({.destination = destination, .kind = kind});
}

void Replanner::next() {
  if (working_ || stopping_) return;
  while (!to_do_.empty()) {
    Work work = std::move(to_do_.front());
    to_do_.pop_front();
    if (!needed(work)) {
      finish(work);
      continue;
    }
    working_ = true;
    return page(work);
  }
}

bool Replanner::needed(Work& work) {
  const storage::ReadTxn::View view(read_);
  if (!view) return false;  // the next look comes
  if (work.kind == Kind::kDeadlines) {
    const auto before = index_.plan(read_, work.destination);
    work.made_anew = !before;
    return before != plan_of(*config_, work.destination);
  }
  const auto* destination = config_->find_destination(work.destination);
  if (destination == nullptr) return false;
  if (work.behind == Place{})
    work.behind = {work.kind == Kind::kAllWaits ? wall_ms() : latest(*destination, wall_ms()), {}};
  return !due_behind(index_, read_, work.destination, work.behind, 1).empty();
}

namespace {

struct PageResult {
  QueueIndex::Place last;
  bool more = false;
  std::size_t moved = 0;
};

base::Status replan_page(QueueIndex& index, storage::WriteTxn& txn, const std::string& destination,
                         QueueIndex::Place behind, bool made_anew, const QueueIndex::Plan& plan, std::int64_t now_ms,
                         PageResult& result) {
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
    if (!row || !replan(*row, plan, made_anew, now_ms)) continue;
    ++result.moved;
    if (auto done = index.update(txn, id, *row); !done) return done;
  }
  return result.more ? base::Status{} : index.put_plan(txn, destination, plan);
}

base::Status cap_page(QueueIndex& index, storage::WriteTxn& txn, const config::Destination& destination,
                      QueueIndex::Place behind, std::int64_t now_ms, std::uint64_t seed, PageResult& result) {
  result = {.last = behind};
  const auto places = due_behind(index, txn, destination.name, behind, kPage);
  result.more = places.size() == kPage;
  for (const auto place : places) {
    result.last = place;
    auto row = index.message(txn, place.id);
    const auto longest = std::min(latest(destination, now_ms) - now_ms, row ? row->wait_ms * 3 / 2 + 1000 : 0);
    if (!row || row->due_ms - now_ms <= longest) continue;
    // Spread, though all of them are planned at once. Repeated, the operation does the same.
    const double chance =
        static_cast<double>((seed ^ (place.id.value * 0x9E3779B97F4A7C15ULL)) >> 11) / static_cast<double>(1ULL << 53);
    if (row->attempts == 0) {
      row->due_ms = now_ms;
    } else {
      plan_next_attempt(*row, std::min(row->last_attempt_ms, now_ms), now_ms, destination.schedule,
                        {.percent = destination.jitter, .chance = chance});
    }
    ++result.moved;
    if (auto done = index.update(txn, place.id, *row); !done) return done;
  }
  return {};
}

}  // namespace

void Replanner::page(const Work& work) {
  const auto result = std::make_shared<PageResult>();
  const auto now_ms = wall_ms();
  writer_.submit(
      [&index = index_, work, config = config_, now_ms, seed = base::random_number(),
       result](storage::WriteTxn& txn) -> base::Status {
        if (work.kind == Kind::kDeadlines) {
          return replan_page(index, txn, work.destination, work.behind, work.made_anew,
                             plan_of(*config, work.destination), now_ms, *result);
        }
        const auto* destination = config->find_destination(work.destination);
        return destination == nullptr ? base::Status{}
                                      : cap_page(index, txn, *destination, work.behind, now_ms, seed, *result);
      },
      [this, work = Work(work), config = config_, result]() mutable {
        working_ = false;
        work.moved += result->moved;
        work.behind = result->last;
        if (result->more && config == config_) {  // with a new configuration it is all looked at again
          to_do_.push_front(work);
        } else {
          finish(work);
        }
        next();
      });
}

void Replanner::finish(const Work& work) {
  if (work.moved == 0) return;
  const bool deadlines = work.kind == Kind::kDeadlines;
  base::log().notice(fmt::format("destination {}: {} of {} messages planned anew", work.destination,
                                 deadlines ? "deadlines" : "attempts", work.moved));
  if (!deadlines) changed_();
}

}  // namespace holdfast::qmgr
