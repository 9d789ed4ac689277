#include "qmgr/bouncer.h"

#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "common/base/announce.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;

constexpr std::size_t kAtOnce = 200;
constexpr std::size_t kAtOnceWhenFull = 10;  // an operation that does not fit would stop all others
constexpr std::uint64_t kMostRead = 8 << 20;

// As Postfix words it.
std::string_view kind_text(mail::ReportKind kind) {
  switch (kind) {
    case mail::ReportKind::kFailed: return "sender non-delivery notification";
    case mail::ReportKind::kDelayed: return "sender delay notification";
    case mail::ReportKind::kRelayed:
    case mail::ReportKind::kDelivered: return "sender delivery status notification";
  }
  return "";
}

}  // namespace

Bouncer::Bouncer(net::Loop& loop, storage::QueueIndex& index, storage::BatchWriter& writer, ReportWriter& reports,
                 config::ConfigPtr config, Hooks hooks, Pace pace)
    : index_(index),
      writer_(writer),
      reports_(reports),
      config_(std::move(config)),
      hooks_(std::move(hooks)),
      pace_(pace),
      read_(index.env()),
      again_(loop, [this] { work(true); }) {}

void Bouncer::look() {
  if (!postponed_) work(false);
}

// `all`: those too that could not be read.
void Bouncer::work(bool all) {
  if (working_ || stopping_) return;
  const storage::ReadTxn::View view(read_);
  if (!view) return again_.start(pace_.later);
  auto ids = next_debts(all);
  if (!ids.empty()) return pay(std::move(ids));
  postponed_ = false;  // all were deleted
}

// Looks at as many as may be unreadable, at most, besides those it returns.
std::vector<QueueId> Bouncer::next_debts(bool all) {
  std::vector<QueueId> ids;
  const auto take = [&](QueueId id) {
    if (all || !unreadable_.contains(id)) ids.push_back(id);
    return ids.size() < kAtOnce;
  };
  if (!all) {
    index_.each_owed(read_, {}, take);
    return ids;
  }
  index_.each_owed(read_, behind_, take);
  if (ids.empty() && behind_.value > 0) index_.each_owed(read_, {}, take);
  behind_ = ids.size() < kAtOnce ? QueueId{} : ids.back();
  if (behind_.value == 0)
    std::erase_if(unreadable_, [&](const auto& entry) { return !index_.owes(read_, entry.first); });
  return ids;
}

void Bouncer::pay(std::vector<QueueId> ids) {
  working_ = true;
  const auto done = std::make_shared<Paid>();
  const auto now = base::mono_now();
  std::set<QueueId> insist;
  for (const auto& [id, patience] : unreadable_) {
    if (now - patience.since >= pace_.patience) insist.insert(id);
  }
  writer_.submit(
      [this, ids = std::move(ids), insist = std::move(insist), config = config_,
       done](storage::WriteTxn& txn) -> base::Status {
        done->clear();
        std::uint64_t read = 0;
        for (const auto id : ids) {
          auto& told = done->emplace_back();
          const auto now_ms = base::to_millis(base::wall_now());
          if (auto paid = reports_.pay(txn, id, *config, now_ms, told, insist.contains(id)); !paid) return paid;
          read += told.read;
          if (told.postponed || read > kMostRead) break;  // the disk takes nothing; or the others' turn comes
          if (done->size() >= kAtOnceWhenFull && txn.nearly_full()) break;
        }
        return {};
      },
      [this, done] { paid(*done); });
}

void Bouncer::paid(const Paid& paid) {
  working_ = false;
  for (const auto& told : paid) {
    if (!told.unreadable && !told.postponed) unreadable_.erase(told.original);
    if (told.unreadable && unreadable_.size() < kMostUnreadable) {
      unreadable_.try_emplace(told.original, Patience{.since = base::mono_now()});
    }
    committed(told);
  }
  const bool many = unreadable_.size() >= kMostUnreadable;
  const bool postponed = many || (!paid.empty() && paid.back().postponed);
  if (postponed && !postponed_) {
    base::log().error("reports to senders have to wait: " +
                      (many ? "very many messages cannot be read" : paid.back().trouble));
  }
  if (!postponed && postponed_) base::log().notice("reports to senders can be written again");
  postponed_ = postponed;
  if (postponed || (!unreadable_.empty() && !again_.waiting())) again_.start(pace_.later);
  look();
}

void Bouncer::committed(const Told& told) {
  const std::string id = told.original.text();
  if (told.unreadable) {
    const auto at = unreadable_.find(told.original);
    if (at != unreadable_.end() && !std::exchange(at->second.told, true)) {
      base::log().warning(fmt::format("{}: the report to its sender waits: {}", id, base::printable(told.trouble)));
    }
  }
  if (told.postponed || told.unreadable) return;
  if (!told.trouble.empty()) base::log().warning(fmt::format("{}: {}", id, base::printable(told.trouble)));
  if (told.report) {
    stats::count(told.kind == mail::ReportKind::kDelayed ? stats::Counter::kDelayNotices : stats::Counter::kReports);
    base::log().write(mail::events::bounce_queued(
        told.original, told.report->id, kind_text(told.kind)));
    hooks_.queued(*told.report);
  } else if (!told.suppressed.empty()) {
    stats::count(stats::Counter::kReportsSuppressed);
    base::log().write(fmt::format("{}: sender not notified: {}", id, told.suppressed));
  }
  if (told.removed) {
    stats::count(stats::Counter::kRemoved);
    base::log().write(mail::events::removed(told.original));
  }
  if (told.held) {
    base::log().write(fmt::format("{}: held: {}", id, base::printable(told.reason)));
    base::announce(base::Level::kNotice, "held", {{"queue_id", id}, {"reason", told.reason}});
  }
  if (told.frozen) {
    stats::count(stats::Counter::kFrozen);
    base::log().write(mail::events::frozen(told.original, told.reason));
    base::announce(base::Level::kNotice, "frozen", {{"queue_id", id}, {"reason", told.reason}});
  }
}

}  // namespace holdfast::qmgr
