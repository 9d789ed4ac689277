#include "qmgr/deadlines.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/announce.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"

namespace holdfast::qmgr {
namespace {

namespace events = mail::events;
using mail::QueueId;
using storage::QueueIndex;

constexpr std::size_t kPage = 200;
constexpr std::size_t kLookAtMost = 2000;       // those handed out are passed over
constexpr std::size_t kLookAtMostWhenFull = 20'000;
constexpr base::Millis kTick{5'000};            // also sees the clock jump
constexpr base::Millis kMinute{60'000}, kDay{86'400'000};
constexpr std::int64_t kPostponedMs = 60'000;   // a notice that the disk did not take
constexpr std::uint64_t kMostRead = 8 << 20, kNoticeCost = 64 << 10;  // of one operation: others wait for it
constexpr std::size_t kOldest = 20;             // held ones among them do not expire

std::int64_t wall_ms() { return base::to_millis(base::wall_now()); }

}  // namespace

Deadlines::Deadlines(Parts parts, config::ConfigPtr config, Hooks hooks)
    : parts_(parts),
      config_(std::move(config)),
      hooks_(std::move(hooks)),
      clock_(config_->second_look),
      replanner_(parts.index, parts.writer, hooks_.changed),
      read_(parts.index.env()),
      timer_(parts.loop, [this] { look(); }) {}

void Deadlines::start(base::Wall last_lived) {
  started_ = true;
  const auto away = clock_.begin(last_lived, base::wall_now(), parts_.loop.now());
  if (away) {
    base::log().notice(fmt::format("the queue was last worked on {} {}; nothing expires for {}",
                                   base::spell(abs(std::chrono::duration_cast<base::Seconds>(*away))),
                                   away->count() > 0 ? "ago" : "ahead of the clock",
                                   base::spell(config_->second_look)));
  }
  configure(config_);
}

void Deadlines::configure(config::ConfigPtr config) {
  config_ = std::move(config);
  clock_.set_second_look(config_->second_look);
  replanner_.configure(config_);
  last_minute_ = base::Mono::min();  // `each minute` now, too
  look();
}

void Deadlines::stop() {
  started_ = false;
  timer_.stop();
  replanner_.stop();
}

void Deadlines::look() {
  if (!started_) return;
  const auto now = parts_.loop.now();
  watch_clock(now);
  if (last_minute_ == base::Mono::min() || now - last_minute_ >= kMinute) once_a_minute(now);
  if (!working_ && clock_.believed(now) && now >= not_before_) work();
  if (!working_) set_timer();
}

void Deadlines::watch_clock(base::Mono now) {
  if (const auto jump = clock_.look(base::wall_now(), now)) clock_jumped(*jump);
}

void Deadlines::clock_jumped(base::Millis by) {
  const auto minutes = std::chrono::round<std::chrono::minutes>(abs(by));  // its two clocks are not read at once
  const std::string size = base::spell(minutes), direction = by.count() > 0 ? "forward" : "back";
  base::log().warning(fmt::format("the clock has jumped {} by {}; nothing expires for {}", direction, size,
                                  base::spell(config_->second_look)));
  base::announce(base::Level::kNotice, "clock_jump", {{"direction", direction}, {"by", size}});
  replanner_.clock_jumped();
  hooks_.changed();
}

std::vector<QueueId> Deadlines::claim_page(std::int64_t now_ms) {
  std::vector<QueueId> late;
  {
    const storage::ReadTxn::View view(read_);
    if (!view) return {};
    // In a nearly full index nobody is given up or warned, which makes it grow: only what is discarded has its turn.
    const bool only_discards = read_.nearly_full(2);
    std::size_t looked = 0;
    parts_.index.by_deadline(read_, now_ms, [&](QueueIndex::Place place) {
      const auto row = only_discards ? parts_.index.message(read_, place.id) : std::nullopt;
      if (!only_discards || (row && row->state == storage::MessageState::kFrozen)) late.push_back(place.id);
      return late.size() < kLookAtMost && ++looked < kLookAtMostWhenFull;
    });
    if (only_discards && late.empty()) not_before_ = parts_.loop.now() + kTick;
  }
  std::vector<QueueId> ids;
  for (const auto id : late) {
    if (ids.size() < kPage && hooks_.claim(id)) ids.push_back(id);
  }
  return ids;
}

void Deadlines::work() {
  const auto now_ms = wall_ms();
  auto ids = claim_page(now_ms);
  if (ids.empty()) return;
  working_ = true;
  const auto page = std::make_shared<Page>();
  parts_.writer.submit(
      [this, ids = std::move(ids), config = config_, now_ms, page](storage::WriteTxn& txn) -> base::Status {
        page->clear();
        std::uint64_t room = kMostRead;
        for (const auto id : ids) {
          if (auto done = meet(txn, id, now_ms, *config, page->emplace_back(), room); !done) return done;
        }
        return {};
      },
      [this, page] { committed(*page); });
}

// On the writer's thread. `room`: how much a notice's original may still cost; it is the next page's turn then.
base::Status Deadlines::meet(storage::WriteTxn& txn, QueueId id, std::int64_t now_ms, const config::Config& config,
                             Ended& ended, std::uint64_t& room) const {
  auto& index = parts_.index;
  ended.id = id;
  auto row = index.message(txn, id);
  if (!row) return {};
  auto recipients = index.recipients(txn, id);
  ended.due = meet_deadline(*row, recipients, now_ms, config);
  ended.sender = row->sender;
  ended.destination = row->destination;
  ended.reason = row->reason;
  if (ended.due == Due::kNothing) return {};
  if (ended.due == Due::kDiscard) return index.remove(txn, id);
  if (ended.due == Due::kWarn && room == 0) {
    ended.due = Due::kNothing;
    return {};
  }
  if (ended.due == Due::kWarn) {
    room -= std::min(room, row->size + kNoticeCost);
    if (auto done = parts_.reports.delay_notice(txn, id, config, now_ms, ended.told); !done) return done;
    row->warn_ms = ended.told.postponed ? now_ms + kPostponedMs : storage::kWarned;
    return index.update(txn, id, *row);
  }
  for (std::uint32_t i = 0; i < recipients.size(); ++i) {
    if (auto done = index.put_recipient(txn, id, i, recipients[i]); !done) return done;
  }
  // What waits for nobody may be owed a report whose debt an index was lost with.
  if (ended.due == Due::kExpired || ended.due == Due::kSettled) {
    if (auto done = index.put_owed(txn, id); !done) return done;
  }
  return index.update(txn, id, *row);
}

void Deadlines::committed(const Page& page) {
  working_ = false;
  const bool any = std::ranges::any_of(page, [](const Ended& e) { return e.due != Due::kNothing; });
  if (!any) not_before_ = parts_.loop.now() + kTick;
  for (const auto& ended : page) {
    log(ended);
    if (ended.due == Due::kWarn) hooks_.told(ended.told);
    hooks_.unclaim(ended.id);
  }
  look();
}

void Deadlines::log(const Ended& ended) const {
  switch (ended.due) {
    case Due::kExpired:
      stats::count(stats::Counter::kExpired);
      base::log().write(events::expired(ended.id, ended.sender));
      break;
    case Due::kFrozen:
      stats::count(stats::Counter::kFrozen);
      base::log().write(events::frozen(ended.id, ended.reason));
      base::announce(base::Level::kNotice, "frozen", {{"queue_id", ended.id.text()}, {"destination", ended.destination}, {"reason", ended.reason}});
      break;
    case Due::kDiscard:
      stats::count(stats::Counter::kDiscarded);
      stats::count(stats::Counter::kRemoved);
      base::announce(base::Level::kNotice, "discarded", {{"queue_id", ended.id.text()}, {"frozen_because", ended.reason}});
      base::log().write(events::removed(ended.id));
      break;
    case Due::kNothing:
    case Due::kWarn:
    case Due::kSettled: break;
  }
}

void Deadlines::set_timer() {
  auto wait = kTick;
  const auto now = parts_.loop.now();
  if (!clock_.believed(now)) {
    wait = std::min(wait, std::chrono::ceil<base::Millis>(clock_.doubt_until() - now));
  } else if (const storage::ReadTxn::View view(read_); view) {
    // What is late and could not be had is looked at when it lands, or at the next tick.
    const auto next = parts_.index.next_deadline_ms(read_);
    const auto now_ms = wall_ms();
    if (next && *next > now_ms) wait = std::min(wait, base::Millis(*next - now_ms));
  }
  timer_.start(wait);
}

void Deadlines::once_a_minute(base::Mono now) {
  last_minute_ = now;
  replanner_.cap_waits();
  for (const auto& [name, destination] : config_->destinations) tell_of_oldest(name, now);
}

// The oldest is the first to expire, but for those that an admin has held or given more time.
void Deadlines::tell_of_oldest(const std::string& destination, base::Mono now) {
  if (const auto at = told_.find(destination); at != told_.end() && now - at->second < kDay) return;
  const storage::ReadTxn::View view(read_);
  if (!view) return;
  std::size_t looked = 0;
  parts_.index.by_age(read_, destination, {}, [&](QueueIndex::Place place, const storage::Waiting& waiting) {
    if (waiting.state != storage::MessageState::kDeferred) return ++looked < kOldest;
    const auto row = parts_.index.message(read_, place.id);
    if (!row || row->expires_ms == 0) return ++looked < kOldest;
    const auto left = row->expires_ms - wall_ms();
    if (left <= 0) return ++looked < kOldest;  // it does just now
    // Mail that never had so long is told of when half of its life is over.
    if (left <= std::min(kDay.count(), (row->expires_ms - row->arrival_ms) / 2)) {
      told_[destination] = now;
      base::announce(base::Level::kNotice, "mail_expires_soon", {{"destination", destination}, {"queue_id", place.id.text()},
                                                            {"in", base::spell(base::Seconds(left / 1000))}});
    }
    return false;
  });
}

}  // namespace holdfast::qmgr
