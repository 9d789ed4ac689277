#include "qmgr/queue_change.h"

#include <algorithm>
#include <vector>

#include "qmgr/outcome_effect.h"

namespace holdfast::qmgr {
namespace {

using mail::QueueId;
using storage::MessageRow;
using storage::MessageState;
using storage::RecipientState;
using storage::RecipientStatus;

bool in_the_right_state(const QueueCommand& command, const MessageRow& row) {
  const auto is = [&](MessageState state) { return row.state == state; };
  switch (command.verb) {
    // By its id only: `retry --all` is not meant for undeliverable bounces.
    case QueueVerb::kRetry: return is(MessageState::kDeferred) || (is(MessageState::kFrozen) && !command.ids.empty());
    case QueueVerb::kHold: return !is(MessageState::kHeld);
    case QueueVerb::kRelease: return is(MessageState::kHeld);
    case QueueVerb::kThaw: return is(MessageState::kFrozen);
    case QueueVerb::kExtend: return is(MessageState::kDeferred) && row.expires_ms > 0;
    case QueueVerb::kReroute: return row.destination != command.to;
    case QueueVerb::kDelete:
    case QueueVerb::kBounce: return true;
  }
  return false;
}

// A message with its recipients, and the index they go back into.
class Message {
 public:
  Message(storage::QueueIndex& index, storage::WriteTxn& txn, QueueId id, MessageRow row, const ChangeRules& rules)
      : index_(index),
        txn_(txn),
        id_(id),
        row_(std::move(row)),
        recipients_(index.recipients(txn, id)),
        rules_(rules) {}

  base::Result<Changed> apply(const QueueCommand& command) {
    if (command.verb == QueueVerb::kBounce) {
      if (row_.sender.empty()) return Changed::kNullSender;
      if (!give_up(command)) return Changed::kNo;
    } else if (!change(command)) {
      return Changed::kNo;
    }
    if (command.dry_run) return Changed::kYes;
    const auto done = command.verb == QueueVerb::kDelete ? index_.remove(txn_, id_) : write(command);
    if (!done) return std::unexpected(done.error());
    return Changed::kYes;
  }

 private:
  bool change(const QueueCommand& command) {
    switch (command.verb) {
      case QueueVerb::kHold: hold(command.user); return true;
      case QueueVerb::kRetry:
      case QueueVerb::kRelease:
      case QueueVerb::kThaw: return go_on();
      case QueueVerb::kExtend: return extend(command);
      case QueueVerb::kReroute: return reroute(command.to);
      case QueueVerb::kDelete:
      case QueueVerb::kBounce: return true;
    }
    return false;
  }

  void hold(const std::string& user) {
    row_.state = MessageState::kHeld;
    row_.reason = user.empty() ? "held by the admin" : "held by " + user;
  }

  // Tried as soon as may be. Recipients whose refusal the sender is about to hear of stay refused.
  bool go_on() {
    if (row_.state == MessageState::kDeferred) {
      if (!anyone_open()) return false;
      row_.due_ms = rules_.now_ms;
      row_.lost = 0;
      return true;
    }
    row_.discard_ms = 0;
    if (row_.rescan == storage::Rescan::kRefused) row_.rescan = storage::Rescan::kReleased;
    if (index_.owes(txn_, id_)) {
      row_.state = MessageState::kDeferred;
      if (!anyone_open()) return wait_for_report();
      row_.due_ms = rules_.now_ms;
    } else {
      reopen(row_, recipients_, rules_.now_ms);
    }
    give_time();
    return true;
  }

  bool anyone_open() const {
    return std::ranges::any_of(recipients_, [](const auto& r) { return r.status == RecipientStatus::kOpen; });
  }

  bool wait_for_report() {
    row_.due_ms = kNever;
    row_.expires_ms = row_.warn_ms = 0;
    return true;
  }

  // An attempt that the admin wants must not be forestalled by expiry.
  void give_time() {
    const auto least = rules_.now_ms + rules_.grace_ms;
    if (row_.expires_ms >= least) return;
    row_.expires_ms = least;
    row_.own_expiry = true;
  }

  bool extend(const QueueCommand& command) {
    const auto until =
        command.until_ms > 0 ? command.until_ms : std::max(row_.expires_ms, rules_.now_ms) + command.by_ms;
    if (until <= row_.expires_ms) return false;  // it never shortens
    row_.expires_ms = until;
    row_.own_expiry = true;
    return true;
  }

  bool reroute(const std::string& destination) {
    if (row_.state == MessageState::kDeferred && !anyone_open()) return false;
    row_.destination = destination;
    row_.due_ms = rules_.now_ms;
    row_.lost = 0;
    if (row_.state == MessageState::kDeferred) row_.reason.clear();
    row_.expires_ms = row_.arrival_ms + rules_.lifetime_ms;
    row_.own_expiry = false;
    give_time();
    return true;
  }

  // False when every recipient was reached, or is about to be reported anyhow. The state stays: a held one is not
  // tried meanwhile.
  bool give_up(const QueueCommand& command) {
    const bool told_soon = index_.owes(txn_, id_);
    bool anything = false;
    for (auto& r : recipients_) {
      anything =
          anything || r.status == RecipientStatus::kOpen || (r.status == RecipientStatus::kRefused && !told_soon);
      r.withheld = false;
      if (r.status != RecipientStatus::kOpen) continue;
      r.status = RecipientStatus::kRefused;
      r.dsn = "5.0.0";
      r.reply = "given up by the administrator" + (r.reply.empty() ? "" : "; the last answer was: " + r.reply);
    }
    if (!anything) return false;
    row_.reason = "given up by " + (command.user.empty() ? "the admin" : command.user);
    return wait_for_report();
  }

  base::Status write(const QueueCommand& command) {
    for (std::uint32_t i = 0; i < recipients_.size(); ++i) {
      if (auto done = index_.put_recipient(txn_, id_, i, recipients_[i]); !done) return done;
    }
    if (command.verb == QueueVerb::kBounce) {
      if (auto done = index_.put_owed(txn_, id_); !done) return done;
    }
    return index_.update(txn_, id_, row_);
  }

  storage::QueueIndex& index_;
  storage::WriteTxn& txn_;
  const QueueId id_;
  MessageRow row_;
  std::vector<RecipientState> recipients_;
  const ChangeRules& rules_;
};

}  // namespace

bool needs_claim(QueueVerb verb) { return verb == QueueVerb::kBounce || verb == QueueVerb::kReroute; }

base::Result<Changed> change_message(storage::QueueIndex& index, storage::WriteTxn& txn, QueueId id,
                                     const QueueCommand& command, const ChangeRules& rules) {
  auto row = index.message(txn, id);
  if (!row || !in_the_right_state(command, *row)) return Changed::kNo;
  return Message(index, txn, id, std::move(*row), rules).apply(command);
}

}  // namespace holdfast::qmgr
