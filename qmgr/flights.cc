#include "qmgr/flights.h"

#include <utility>

#include <fmt/format.h>

#include "common/base/announce.h"
#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/base/text.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"
#include "common/storage/corrupt.h"
#include "qmgr/tallies.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;

// deliver says what a server answered, qmgr what it comes to: a refusal may be the destination's fault.
void log_refusals(QueueId id, const ipc::Outcome& outcome, const storage::MessageRow& row,
                  const std::vector<storage::RecipientState>& recipients, std::int64_t due_ms) {
  const double waited = static_cast<double>(std::max<std::int64_t>(0, due_ms - row.arrival_ms)) / 1000.0;
  const double since =
      static_cast<double>(std::max<std::int64_t>(0, row.last_attempt_ms - std::max(due_ms, row.arrival_ms))) / 1000.0;
  for (const auto& r : outcome.recipients) {
    if (r.status != static_cast<std::uint8_t>(ipc::RecipientStatus::kRefused) || r.index >= recipients.size()) continue;
    const auto& recipient = recipients[r.index];
    const mail::events::Handover line{id, recipient.address, outcome.relay, {waited, since, 0, 0}, r.dsn, r.reply};
    const bool ended = recipient.status != storage::RecipientStatus::kOpen && !recipient.withheld;
    base::log().write(ended ? mail::events::bounced(line) : mail::events::deferred(line));
  }
}

void log_fate(QueueId id, Fate fate, const storage::MessageRow& row) {
  if (fate == Fate::kDone) {
    stats::count(stats::Counter::kRemoved);
    base::log().write(mail::events::removed(id));
  }
  if (fate == Fate::kHeld) {
    base::log().write(fmt::format("{}: held: {}", id.text(), base::printable(row.reason)));
    base::announce(base::Level::kNotice, "held", {{"queue_id", id.text()}, {"destination", row.destination}, {"reason", row.reason}});
  }
  if (fate == Fate::kFrozen) {
    stats::count(stats::Counter::kFrozen);
    base::log().write(mail::events::frozen(id, row.reason));
    base::announce(base::Level::kNotice, "frozen", {{"queue_id", id.text()}, {"destination", row.destination}, {"reason", row.reason}});
  }
}

}  // namespace

struct Flights::Result {
  Effect effect;
  storage::MessageRow row;
  std::vector<storage::RecipientState> recipients;
  std::int64_t due_ms = 0;  // before this attempt
  Told told;                // of a success
};

Flights::Flights(storage::QueueIndex& index, storage::BatchWriter& writer, ReportWriter& reports, Landed landed,
                 ToldSender told)
    : index_(index), writer_(writer), reports_(reports), landed_(std::move(landed)), told_(std::move(told)) {}

Flight* Flights::find(QueueId id) {
  const auto at = flights_.find(id);
  return at == flights_.end() ? nullptr : &at->second;
}

std::vector<QueueId> Flights::under_way() const {
  std::vector<QueueId> out;
  for (const auto& [id, flight] : flights_) {
    if (!flight.outcome) out.push_back(id);
  }
  return out;
}

base::Status Flights::apply(storage::WriteTxn& txn, QueueId id, const ipc::Outcome& outcome, const Ruling& ruling,
                            Result& result) const {
  result = {};
  auto row = index_.message(txn, id);
  if (!row) return {};
  result.due_ms = row->due_ms;
  result.recipients = index_.recipients(txn, id);
  result.effect = apply_outcome(*row, result.recipients, outcome, ruling);
  result.row = std::move(*row);
  if (result.effect.fate == Fate::kStale) return {};
  if (outcome.possible_duplicate) {
    if (auto done = count(txn, Tally::kPossibleDuplicates); !done) return done;
  }
  if (!outcome.success_owed.empty()) {
    if (auto done = reports_.success_notice(txn, id, result.row, result.recipients, outcome.success_owed,
                                            *ruling.config, ruling.now_ms, result.told); !done) {
      return done;
    }
  }
  if (result.effect.fate == Fate::kDone) return index_.remove(txn, id);
  for (std::uint32_t i = 0; i < result.recipients.size(); ++i) {
    if (auto done = index_.put_recipient(txn, id, i, result.recipients[i]); !done) return done;
  }
  if (result.effect.owed) {
    if (auto done = index_.put_owed(txn, id); !done) return done;
  }
  return index_.update(txn, id, result.row);
}

// On the writer's thread, since it reads and writes files; its row says already that it is held.
void Flights::set_damaged_aside(QueueId id, const mail::RecordRef& record) {
  writer_.submit([spool = index_.spool(), id, record](storage::WriteTxn&) -> base::Status {
    const auto done = storage::set_aside(spool, record, id);
    const std::string where = done ? "set aside as corrupt/" + *done : "not set aside: " + done.error().text;
    base::log().error(fmt::format("{}: its record is damaged: {}", id.text(), where));
    base::announce(base::Level::kError, "spool_damage", {{"queue_id", id.text()}, {"reason", where}});
    return {};
  });
}

void Flights::commit(QueueId id, std::shared_ptr<const Ruling> ruling) {
  const auto* flight = find(id);
  base::expect(flight != nullptr && flight->outcome.has_value(), "an outcome is to be committed that is not there");
  const auto outcome = std::make_shared<const ipc::Outcome>(*flight->outcome);
  const auto result = std::make_shared<Result>();
  writer_.submit([this, id, outcome, ruling = std::move(ruling),
                  result](storage::WriteTxn& txn) { return apply(txn, id, *outcome, *ruling, *result); },
                 [this, id, outcome, result] {
                   if (result->effect.fate != Fate::kStale)
                     log_refusals(id, *outcome, result->row, result->recipients, result->due_ms);
                   if (outcome->possible_duplicate && result->effect.fate != Fate::kStale)
                     stats::count(stats::Counter::kPossibleDuplicates);
                   if (result->told.original == id) told_(result->told);
                   log_fate(id, result->effect.fate, result->row);
                   if (outcome->damaged && result->effect.fate != Fate::kStale)
                     set_damaged_aside(id, result->row.record);
                   landed_(id, result->effect);
                 });
}

}  // namespace holdfast::qmgr
