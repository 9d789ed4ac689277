#include "deliver/outcome.h"

#include <algorithm>

#include "common/base/panic.h"
#include "common/mail/delivery_report.h"

namespace holdfast::deliver {
namespace {

using mail::Stage;

// A thousand recipients, each refused with 20 kB of text, must still fit into one message to qmgr.
constexpr std::size_t kMaxReply = 500;

std::uint8_t raw(ipc::RecipientStatus status) { return static_cast<std::uint8_t>(status); }

ipc::RecipientOutcome word_of(const mail::Reply& reply, Stage stage) {
  ipc::RecipientOutcome word;
  word.status = raw(reply.positive()    ? ipc::RecipientStatus::kSent
                    : reply.permanent() ? ipc::RecipientStatus::kRefused
                                        : ipc::RecipientStatus::kDeferred);
  word.reply = reply.text().substr(0, kMaxReply);
  word.dsn = reply.dsn();
  word.stage = stage;
  word.speaks_of_recipient = stage == Stage::kRcpt && reply.permanent() && mail::speaks_of_recipient(reply);
  return word;
}

// RFC 3463: X.4.1 nobody answered, X.4.2 the connection was bad, X.3.0 a fault of this system.
std::string_view dsn_of(Stage stage) {
  if (stage == Stage::kLocal) return "4.3.0";
  return stage == Stage::kConnect ? "4.4.1" : "4.4.2";
}

}  // namespace

OutcomeBuilder::OutcomeBuilder(const ipc::Job& job) : decided_(job.recipients.size(), false) {
  outcome_.queue_id = job.queue_id;
  outcome_.generation = job.generation;
  outcome_.attempt = job.attempt;
  outcome_.destination = job.destination;
  outcome_.relay = "none";
  outcome_.canary = job.canary;
  for (const auto& recipient : job.recipients) outcome_.recipients.emplace_back().index = recipient.index;
}

void OutcomeBuilder::for_the_rest(const ipc::RecipientOutcome& word) {
  for (std::size_t i = 0; i < decided_.size(); ++i) {
    if (decided_[i]) continue;
    const std::uint32_t index = outcome_.recipients[i].index;
    outcome_.recipients[i] = word;
    outcome_.recipients[i].index = index;
    decided_[i] = true;
  }
}

void OutcomeBuilder::own_words(Stage stage, std::string_view reason, std::string_view dsn, bool final) {
  ipc::RecipientOutcome word;
  word.status = raw(final ? ipc::RecipientStatus::kRefused : ipc::RecipientStatus::kDeferred);
  word.reply = reason;
  word.dsn = dsn;
  word.stage = stage;
  word.own_words = true;
  outcome_.stage = stage;
  for_the_rest(word);
}

void OutcomeBuilder::mail_refused(const mail::Reply& reply) {
  outcome_.stage = Stage::kMail;
  outcome_.code = reply.code;
  for_the_rest(word_of(reply, Stage::kMail));
}

void OutcomeBuilder::rcpt_answered(const mail::Reply& reply) {
  base::expect(!all_answered(), "more answers than recipients");
  if (reply.code == 421) {
    outcome_.stage = Stage::kRcpt;
    outcome_.code = reply.code;
    for_the_rest(word_of(reply, Stage::kRcpt));
    answered_ = decided_.size();
    accepted_ = 0;
    return;
  }
  const std::size_t i = answered_++;
  if (reply.positive()) {
    ++accepted_;
    return;
  }
  const std::uint32_t index = outcome_.recipients[i].index;
  outcome_.recipients[i] = word_of(reply, Stage::kRcpt);
  outcome_.recipients[i].index = index;
  decided_[i] = true;
}

void OutcomeBuilder::data_refused(const mail::Reply& reply) {
  outcome_.stage = Stage::kData;
  outcome_.code = reply.code;
  for_the_rest(word_of(reply, Stage::kData));
}

void OutcomeBuilder::dot_answered(const mail::Reply& reply) {
  if (!reply.positive()) {
    outcome_.stage = Stage::kDot;
    outcome_.code = reply.code;
  }
  for_the_rest(word_of(reply, Stage::kDot));
}

void OutcomeBuilder::owe_success(const mail::Envelope& envelope) {
  if (envelope.sender.empty()) return;
  for (const auto& r : outcome_.recipients) {
    if (r.status != raw(ipc::RecipientStatus::kSent) || r.index >= envelope.recipients.size()) continue;
    const auto& notify = envelope.recipients[r.index].notify;
    if (mail::wants_report(notify, mail::ReportKind::kRelayed)) outcome_.success_owed.push_back(r.index);
  }
}

// An answer that speaks of the mailbox counts as one to RCPT: by LMTP that is where a full one is found out.
void OutcomeBuilder::dot_answered_for_one(const mail::Reply& reply) {
  const auto at = std::ranges::find(decided_, false);
  base::expect(at != decided_.end(), "more answers to the dot than recipients");
  const auto i = static_cast<std::size_t>(at - decided_.begin());
  const std::string dsn = reply.dsn();
  const bool about_mailbox = !reply.positive() && (dsn.compare(1, 3, ".1.") == 0 || dsn.compare(1, 3, ".2.") == 0);
  if (!reply.positive() && outcome_.code == 0) {
    outcome_.stage = Stage::kDot;
    outcome_.code = reply.code;
  }
  const std::uint32_t index = outcome_.recipients[i].index;
  outcome_.recipients[i] = word_of(reply, about_mailbox ? Stage::kRcpt : Stage::kDot);
  outcome_.recipients[i].index = index;
  decided_[i] = true;
}

// A time-out is no loss: design.md section 3 holds a message that kills the connection, not one that came
// upon a server that hangs. Nor is a 421, with which the server ends it in order.
void OutcomeBuilder::connection_failed(const upstream::Failure& failure) {
  outcome_.code = failure.reply.code;
  outcome_.possible_duplicate = failure.dot_sent;
  outcome_.connection_lost =
      failure.mail_answered && !failure.timed_out && failure.stage != Stage::kLocal && failure.reply.code == 0;
  own_words(failure.stage == Stage::kNone ? Stage::kMail : failure.stage, failure.reason, dsn_of(failure.stage));
}

void OutcomeBuilder::no_connection(const upstream::AcquireFailure& failure) {
  outcome_.code = failure.reply.code;
  if (!failure.relay.empty()) outcome_.relay = failure.relay;
  own_words(failure.stage, failure.reason, failure.dsn.empty() ? dsn_of(failure.stage) : failure.dsn);
}

void OutcomeBuilder::client_refused(const upstream::AcquireFailure& failure) {
  outcome_.relay = failure.relay;
  if (failure.reply.code != 0) return mail_refused(failure.reply);
  outcome_.connection_lost = !failure.timed_out;
  own_words(Stage::kMail, failure.reason, dsn_of(failure.stage));
}

void OutcomeBuilder::unroutable(const dns::Refusal& refusal) {
  own_words(Stage::kConnect, refusal.text, refusal.dsn, refusal.final);
}

void OutcomeBuilder::unfit(std::string_view dsn, std::string_view reason) {
  own_words(Stage::kNone, reason, dsn, true);
}

void OutcomeBuilder::local_failure(std::string_view reason) { own_words(Stage::kLocal, reason, dsn_of(Stage::kLocal)); }

void OutcomeBuilder::unreadable(std::string_view reason) {
  outcome_.unreadable = true;
  local_failure(reason);
}

void OutcomeBuilder::filtered(ipc::RescanWord word, std::string_view reason) {
  outcome_.rescan = word;
  own_words(Stage::kLocal, reason.substr(0, kMaxReply), "4.7.1");
}

void OutcomeBuilder::damaged(std::string_view reason) {
  outcome_.damaged = true;
  local_failure(reason);
}

std::optional<stats::Answer> answer_of(const ipc::Outcome& outcome) {
  const auto any = [&](const auto& rule) { return std::ranges::any_of(outcome.recipients, rule); };
  const auto has = [&](ipc::RecipientStatus status) {
    return any([&](const auto& one) { return one.status == raw(status) && !one.own_words; });
  };
  if (has(ipc::RecipientStatus::kSent)) return stats::Answer::kAccepted;
  if (has(ipc::RecipientStatus::kDeferred)) return stats::Answer::kDeferred;
  if (has(ipc::RecipientStatus::kRefused)) return stats::Answer::kRefused;
  const auto ours = [](const auto& one) { return one.stage == Stage::kLocal || one.stage == Stage::kNone; };
  if (!any([&](const auto& one) { return !ours(one); })) return std::nullopt;
  return stats::Answer::kFailed;
}

}  // namespace holdfast::deliver
