#include "qmgr/outcome_effect.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "qmgr/lifetime.h"

namespace holdfast::qmgr {
namespace {

using storage::MessageRow;
using storage::MessageState;
using storage::RecipientState;
using storage::RecipientStatus;
using Recipients = std::vector<RecipientState>;

RecipientStatus status_after(const ipc::RecipientOutcome& r, Treatment how) {
  if (r.status == static_cast<std::uint8_t>(ipc::RecipientStatus::kSent)) return RecipientStatus::kSent;
  const bool refused = r.status == static_cast<std::uint8_t>(ipc::RecipientStatus::kRefused);
  return refused && how == Treatment::kAsIs ? RecipientStatus::kRefused : RecipientStatus::kOpen;
}

// Only who was open has been tried. Returns those who are refused now.
std::vector<std::size_t> note_replies(const MessageRow& row, Recipients& recipients, const ipc::Outcome& outcome,
                                      Treatment how) {
  std::vector<std::size_t> refused;
  for (const auto& r : outcome.recipients) {
    if (r.index >= recipients.size() || recipients[r.index].status != RecipientStatus::kOpen) continue;
    auto& recipient = recipients[r.index];
    recipient.status = status_after(r, how);
    recipient.reply = r.reply;
    recipient.dsn = r.dsn;
    recipient.relay = outcome.relay;
    if (recipient.status != RecipientStatus::kRefused) continue;
    recipient.withheld = row.unfiltered && !row.sender.empty() && !is_about_mailbox(r.reply, r.dsn, r.stage);
    refused.push_back(r.index);
  }
  return refused;
}

std::size_t count(const Recipients& recipients, RecipientStatus status) {
  return static_cast<std::size_t>(std::ranges::count(recipients, status, &RecipientState::status));
}

std::string first_reply(const Recipients& recipients, RecipientStatus status) {
  const auto it = std::ranges::find(recipients, status, &RecipientState::status);
  return it == recipients.end() ? std::string() : it->reply;
}

Fate hold(MessageRow& row, std::string reason) {
  row.state = MessageState::kHeld;
  row.reason = std::move(reason);
  return Fate::kHeld;
}

Fate frozen(MessageRow& row, std::string reason, const Ruling& ruling) {
  freeze(row, std::move(reason), ruling.now_ms, *ruling.config);
  return Fate::kFrozen;
}

Fate wait_for_report(MessageRow& row, const Recipients& recipients) {
  row.reason = "refused: " + first_reply(recipients, RecipientStatus::kRefused);
  row.due_ms = kNever;
  row.expires_ms = row.warn_ms = 0;
  return Fate::kWaiting;
}

void plan_after(MessageRow& row, std::int64_t last_attempt_ms, const Ruling& ruling) {
  const bool asked = ruling.handed_due_ms && row.due_ms != *ruling.handed_due_ms;
  if (ruling.how == Treatment::kSpare && ruling.draining) {  // the lane sets the pace
    row.due_ms = ruling.now_ms;
    return;
  }
  plan_next_attempt(row, last_attempt_ms, ruling.now_ms, ruling.schedule, ruling.jitter);
  if (ruling.longest_wait_ms > 0) row.due_ms = std::min(row.due_ms, ruling.now_ms + ruling.longest_wait_ms);
  if (asked) row.due_ms = ruling.now_ms;
}

std::string withheld_reason(const Recipients& recipients) {
  const auto it = std::ranges::find_if(recipients, [](const RecipientState& r) {
    return r.withheld && r.status == RecipientStatus::kRefused;
  });
  return "it skipped the filters and was refused: " + (it == recipients.end() ? std::string() : it->reply);
}

// Somebody of it has not been reached by this attempt, and it is no stale one.
Fate fate_of_rest(MessageRow& row, const Recipients& recipients, const ipc::Outcome& outcome,
                  std::int64_t last_attempt_ms, const Effect& effect, const Ruling& ruling) {
  const bool anyone_open = count(recipients, RecipientStatus::kOpen) > 0;
  const std::string last = first_reply(recipients, anyone_open ? RecipientStatus::kOpen : RecipientStatus::kRefused);
  if (row.state == MessageState::kHeld) return Fate::kHeld;  // by the admin, meanwhile
  if (row.state == MessageState::kFrozen) return Fate::kFrozen;
  if (outcome.damaged) return hold(row, "its record in the spool is damaged");
  if (outcome.rescan == ipc::RescanWord::kHold) {
    row.rescan = storage::Rescan::kRefused;
    return hold(row, last);
  }
  const bool one_attempt = row.report_of != 0 && !ruling.config->bounces.scheduled;
  if (one_attempt && ruling.how != Treatment::kSpare) return frozen(row, "its one attempt failed: " + last, ruling);
  if (!anyone_open) {
    if (row.sender.empty()) return frozen(row, "refused: " + last, ruling);
    return effect.owed ? wait_for_report(row, recipients) : hold(row, withheld_reason(recipients));
  }
  if (row.lost >= kMostLost) {
    return hold(row, fmt::format("the connection was lost {} times while it was handed over: {}", row.lost, last));
  }
  row.reason = last;
  plan_after(row, last_attempt_ms, ruling);
  return Fate::kDeferred;
}

}  // namespace

Effect apply_outcome(MessageRow& row, Recipients& recipients, const ipc::Outcome& outcome, const Ruling& ruling) {
  if (outcome.generation != row.generation || outcome.attempt <= row.attempts) return {};
  Effect effect;
  effect.refused = note_replies(row, recipients, outcome, ruling.how);
  effect.owed = !row.sender.empty() && std::ranges::any_of(recipients, [](const RecipientState& r) {
    return r.status == RecipientStatus::kRefused && !r.withheld;
  });
  const auto last_attempt_ms = std::exchange(row.last_attempt_ms, ruling.now_ms);
  row.attempts = outcome.attempt;
  if (outcome.connection_lost && ruling.how == Treatment::kAsIs) ++row.lost;
  row.open = static_cast<std::uint32_t>(count(recipients, RecipientStatus::kOpen) +
                                        count(recipients, RecipientStatus::kRefused));
  effect.fate = row.open == 0 ? Fate::kDone : fate_of_rest(row, recipients, outcome, last_attempt_ms, effect, ruling);
  return effect;
}

bool is_about_mailbox(std::string_view reply, std::string_view dsn, mail::Stage stage) {
  const bool about_sender = dsn == "5.1.7" || dsn == "5.1.8";
  if (dsn.starts_with("5.1.") || dsn.starts_with("5.2.") || dsn.starts_with("5.4.")) return !about_sender;
  if (stage != mail::Stage::kRcpt || dsn != "5.0.0") return false;
  constexpr std::array<std::string_view, 4> kCodes{"550", "551", "552", "553"};
  return std::ranges::any_of(kCodes, [&](std::string_view code) { return reply.starts_with(code); });
}

Rest settle_rest(MessageRow& row, const Recipients& recipients, std::int64_t now_ms, const config::Config& config) {
  const auto open = count(recipients, RecipientStatus::kOpen), refused = count(recipients, RecipientStatus::kRefused);
  row.open = static_cast<std::uint32_t>(open + refused);
  if (row.open == 0) return Rest::kNobody;
  if (open > 0) return Rest::kOpen;
  if (row.sender.empty()) {
    if (row.state != MessageState::kFrozen)
      freeze(row, "refused: " + first_reply(recipients, RecipientStatus::kRefused), now_ms, config);
    return Rest::kFrozen;
  }
  hold(row, withheld_reason(recipients));
  return Rest::kHeld;
}

void reopen(MessageRow& row, Recipients& recipients, std::int64_t now_ms) {
  const bool all = row.state != MessageState::kDeferred;
  row.state = MessageState::kDeferred;
  row.due_ms = now_ms;
  row.lost = 0;
  for (auto& r : recipients) {
    if (!all || r.status != RecipientStatus::kRefused) continue;
    r.status = RecipientStatus::kOpen;
    r.withheld = false;
  }
}

}  // namespace holdfast::qmgr
