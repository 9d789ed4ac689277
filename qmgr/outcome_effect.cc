#include "qmgr/outcome_effect.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace holdfast::qmgr {
namespace {

using storage::MessageState;
using storage::RecipientStatus;

RecipientStatus status_after(const ipc::RecipientOutcome& r, Treatment how) {
  if (r.status == static_cast<std::uint8_t>(ipc::RecipientStatus::kSent)) return RecipientStatus::kSent;
  const bool refused = r.status == static_cast<std::uint8_t>(ipc::RecipientStatus::kRefused);
  return refused && how == Treatment::kAsIs ? RecipientStatus::kRefused : RecipientStatus::kOpen;
}

void note_replies(std::vector<storage::RecipientState>& recipients, const ipc::Outcome& outcome, Treatment how) {
  for (const auto& r : outcome.recipients) {
    if (r.index >= recipients.size() || recipients[r.index].status == RecipientStatus::kSent) continue;
    auto& recipient = recipients[r.index];
    recipient.status = status_after(r, how);
    recipient.reply = r.reply;
    recipient.dsn = r.dsn;
  }
}

std::size_t count(const std::vector<storage::RecipientState>& recipients, RecipientStatus status) {
  return static_cast<std::size_t>(
      std::count_if(recipients.begin(), recipients.end(), [&](const auto& r) { return r.status == status; }));
}

std::string first_reply(const std::vector<storage::RecipientState>& recipients, RecipientStatus status) {
  const auto it = std::find_if(recipients.begin(), recipients.end(), [&](const auto& r) { return r.status == status; });
  return it == recipients.end() ? std::string() : it->reply;
}

void hold(storage::MessageRow& row, std::string reason) {
  row.state = MessageState::kHeld;
  row.reason = std::move(reason);
}

std::int64_t due_after(const storage::MessageRow& row, std::int64_t last_attempt_ms, const Ruling& ruling) {
  if (ruling.how == Treatment::kSpare && ruling.longest_wait_ms > 0) return ruling.now_ms;  // the lane sets the pace
  const AttemptHistory history{.arrival_ms = row.arrival_ms,
                               .now_ms = ruling.now_ms,
                               .last_attempt_ms = last_attempt_ms,
                               .last_wait_ms = last_attempt_ms > 0 ? row.due_ms - last_attempt_ms : 0};
  const auto due = next_attempt_ms(ruling.schedule, history, ruling.jitter);
  return ruling.longest_wait_ms > 0 ? std::min(due, ruling.now_ms + ruling.longest_wait_ms) : due;
}

}  // namespace

Fate apply_outcome(storage::MessageRow& row, std::vector<storage::RecipientState>& recipients,
                   const ipc::Outcome& outcome, const Ruling& ruling) {
  if (outcome.generation != row.generation || outcome.attempt <= row.attempts) return Fate::kStale;
  note_replies(recipients, outcome, ruling.how);
  const auto last_attempt_ms = std::exchange(row.last_attempt_ms, ruling.now_ms);
  row.attempts = outcome.attempt;
  if (outcome.connection_lost && ruling.how == Treatment::kAsIs) ++row.lost;
  const auto open = count(recipients, RecipientStatus::kOpen), refused = count(recipients, RecipientStatus::kRefused);
  row.open = static_cast<std::uint32_t>(open + refused);
  if (row.open == 0) return Fate::kDone;
  if (row.state != MessageState::kDeferred) return Fate::kHeld;  // by the admin, meanwhile
  if (outcome.damaged) {
    hold(row, "its record in the spool is damaged");
  } else if (open == 0) {
    hold(row, "refused: " + first_reply(recipients, RecipientStatus::kRefused));
  } else if (row.lost >= kMostLost) {
    hold(row, fmt::format("the connection was lost {} times while it was handed over: {}", row.lost,
                          first_reply(recipients, RecipientStatus::kOpen)));
  } else {
    row.reason = first_reply(recipients, RecipientStatus::kOpen);
    row.due_ms = due_after(row, last_attempt_ms, ruling);
    return Fate::kDeferred;
  }
  return Fate::kHeld;
}

void reopen(storage::MessageRow& row, std::vector<storage::RecipientState>& recipients, std::int64_t now_ms) {
  row.state = MessageState::kDeferred;
  row.due_ms = now_ms;
  row.lost = 0;
  for (auto& r : recipients) {
    if (r.status == RecipientStatus::kRefused) r.status = RecipientStatus::kOpen;
  }
}

}  // namespace holdfast::qmgr
