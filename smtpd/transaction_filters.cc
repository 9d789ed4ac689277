// What filters say of a transaction, and what becomes of it then (decision 20).
#include <utility>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/scanning/told.h"
#include "common/smtp/parameters.h"
#include "common/stats/counters.h"
#include "smtpd/client_filters.h"
#include "smtpd/envelope_changes.h"
#include "smtpd/reject_log.h"
#include "smtpd/transaction.h"

namespace holdfast::smtpd {
namespace {

using Kind = filtering::Outcome::Kind;

constexpr std::size_t kLongestReason = 200;  // of a filter's quarantine: listings show it

}  // namespace

// What is asked is settled with the first recipient that is accepted.
std::optional<mail::Reply> Transaction::choose_filters(Question& question) {
  const auto set =
      client_.filters == nullptr ? ClientFilters::Set{} : client_.filters->asked_after(*config_, *question.domain);
  question.skips = question.skips || (bypassed_ && !set.empty());
  if (mode_ != Mode::kOpen) {
    if (bypassed_ || set == filters_) return std::nullopt;
    return mail::Reply::make(
        452, "4.5.3", fmt::format("<{}>: is filtered in another way: send it on its own", question.recipient.text()));
  }
  const auto wanted = bypassed_ ? ClientFilters::Set{} : set;
  if (wanted == filters_) return std::nullopt;
  if (chain_ != nullptr) chain_->abort();
  filters_ = wanted;
  filters_refusal_.reset();
  chain_ = wanted.empty() ? nullptr : &client_.filters->chain(config_, wanted);
  told_mail_ = false;
  return std::nullopt;
}

void Transaction::ask_filters(Question question) {
  if (const auto refusal = choose_filters(question)) {
    return refuse("RCPT", *refusal, question.recipient.text(), question.answer);
  }
  if (chain_ == nullptr) return passed(std::move(question));
  if (!discarded_by_.empty()) return discard_recipient(question);
  if (filters_refusal_) return refuse_by_filter("RCPT", *filters_refusal_, question.recipient.text(), question.answer);
  if (std::exchange(told_mail_, true)) return tell_recipient(std::move(question));
  if (id_.value == 0) id_ = shared_.next_id();
  scanning::tell_mail(chain_->macros(), id_.text(), sender_);
  chain_->mail(sender_, parameters_, [this, question = std::move(question)](const filtering::Outcome& outcome) mutable {
    if (outcome.kind == Kind::kRefuse) filters_refusal_ = outcome;
    if (goes_on(question, outcome)) tell_recipient(std::move(question));
  });
}

void Transaction::tell_recipient(Question question) {
  const std::string address = question.recipient.text();
  scanning::tell_recipient(chain_->macros(), address, question.domain->name);
  std::string parameters = smtp::rcpt_parameters({.smtputf8 = true, .dsn = true}, question.notify, question.orcpt);
  chain_->rcpt(address, std::move(parameters),
               [this, question = std::move(question)](const filtering::Outcome& outcome) mutable {
                 if (goes_on(question, outcome)) passed(std::move(question));
               });
}

bool Transaction::goes_on(const Question& question, const filtering::Outcome& outcome) {
  switch (outcome.kind) {
    case Kind::kContinue: return true;
    case Kind::kDiscard:
      discarded_by_ = outcome.filter;
      discard_recipient(question);
      return false;
    case Kind::kRefuse:
    case Kind::kShutdown: break;
  }
  refuse_by_filter("RCPT", outcome, question.recipient.text(), question.answer);
  return false;
}

// Of a message that goes nowhere.
void Transaction::discard_recipient(const Question& question) {
  accept(question, mode_ == Mode::kOpen ? Mode::kKept : mode_);
  question.answer(mail::Reply::make(250, "2.1.5", "Ok"));
}

void Transaction::discard(std::string_view filter) {
  relay_.reset();
  stats::count(stats::Counter::kFilterDiscarded);
  base::log().notice(fmt::format("{}: milter-discard: END-OF-MESSAGE from {}[{}]: filter {} discards it; from=<{}>",
                                 id_.text(), client_.name.empty() ? "unknown" : client_.name, client_.address, filter,
                                 base::printable(sender_)));
  end_answer_(mail::Reply::make(250, "2.0.0", fmt::format("Ok: queued as {}", id_.text())));
}

void Transaction::refuse_by_filter(std::string_view stage, const filtering::Outcome& outcome,
                                   std::string_view recipient, const Answer& answer) {
  stats::count(stats::Counter::kFilterRefused);
  log_reject(client_, {.stage = stage,
                       .reply = outcome.reply,
                       .sender = sender_,
                       .recipient = recipient,
                       .action = "milter-reject",
                       .id = stage == "RCPT" ? mail::QueueId{} : id_});
  answer(outcome.reply);
}

void Transaction::filter_content() {
  chain_->content(content_, [this](const filtering::Outcome& outcome) { content_filtered(outcome); });
}

void Transaction::content_filtered(const filtering::Outcome& outcome) {
  switch (outcome.kind) {
    case Kind::kContinue:
      content_.replace_front(0, std::exchange(head_, {}));
      return envelope_changed(without_quarantine_of_allowed(chain_->take_changes()));
    case Kind::kDiscard: return discard(outcome.filter);
    case Kind::kRefuse:
    case Kind::kShutdown: break;
  }
  relay_.reset();
  stats::count(outcome.reply.permanent() ? stats::Counter::kMessagesRefused : stats::Counter::kMessagesDeferred);
  refuse_by_filter("END-OF-MESSAGE", outcome, "", end_answer_);
}

// What an admin has put on the allow list is not held for his look again.
filtering::EnvelopeChanges Transaction::without_quarantine_of_allowed(filtering::EnvelopeChanges changes) const {
  if (!changes.quarantine || !shared_.admission.allows_sender(sender_)) return changes;
  base::log().notice(fmt::format("{}: not held, an allowed sender: from=<{}>: {}", id_.text(), base::printable(sender_),
                                 base::printable(*changes.quarantine)));
  changes.quarantine.reset();
  return changes;
}

// What the destination has heard of a live transaction is not what it is to have then: the message goes by the queue,
// which hands it over at once.
void Transaction::envelope_changed(const filtering::EnvelopeChanges& changes) {
  if (changes.empty()) return dispatch();
  relay_.reset();
  for (const auto& what : change_envelope(changes, *config_, destination_->name, smtputf8_, sender_, recipients_)) {
    base::log().warning(fmt::format("{}: a filter wants {}: left out", id_.text(), what));
  }
  if (recipients_.empty()) return discard("that deleted all recipients");
  if (changes.quarantine) {
    const std::string reason = base::printable(std::string_view(*changes.quarantine).substr(0, kLongestReason));
    hold_ = reason.empty() ? "a filter's quarantine" : fmt::format("filter: {}", reason);
    stats::count(stats::Counter::kFilterHeld);
    base::log().notice(fmt::format("{}: milter-hold: END-OF-MESSAGE from {}[{}]: {}", id_.text(),
                                   client_.name.empty() ? "unknown" : client_.name, client_.address, hold_));
  }
  keep();
}

}  // namespace holdfast::smtpd
