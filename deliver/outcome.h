// What one attempt came to, for each recipient apart: the pure part of a delivery.
//
// A recipient that has its own final word keeps it, whatever happens later. What ends the transaction
// (a refused MAIL, the answer to the dot, a lost connection) is for all that have none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/dns/mail_route.h"
#include "common/ipc/messages.h"
#include "common/mail/envelope.h"
#include "common/mail/reply.h"
#include "common/mail/stage.h"
#include "common/stats/destinations.h"
#include "common/upstream/connection.h"
#include "common/upstream/pool.h"

namespace holdfast::deliver {

class OutcomeBuilder {
 public:
  explicit OutcomeBuilder(const ipc::Job& job);

  void on_relay(std::string relay) { outcome_.relay = std::move(relay); }
  void mail_refused(const mail::Reply& reply);
  // The answer to the RCPT of the next recipient, in the job's order. A 421 is for all that follow too: the
  // server ends the connection.
  void rcpt_answered(const mail::Reply& reply);
  void data_refused(const mail::Reply& reply);
  void dot_answered(const mail::Reply& reply);
  // By LMTP: the answer for the next of those who were accepted.
  void dot_answered_for_one(const mail::Reply& reply);
  void connection_failed(const upstream::Failure& failure);
  void no_connection(const upstream::AcquireFailure& failure);
  // AcquireFailure::of_client: as if MAIL had been refused, or the connection lost there.
  void client_refused(const upstream::AcquireFailure& failure);
  // No server is to be had for the recipients' domain: as if none had answered, with what was found instead.
  void unroutable(const dns::Refusal& refusal);
  // The server does not take such a message (demands.h): for good, and nothing was tried.
  void unfit(std::string_view dsn, std::string_view reason);
  // A failure of our own, which says nothing of the destination.
  void local_failure(std::string_view reason);
  // The record in the spool cannot be read, but others can: its own affair.
  void unreadable(std::string_view reason);
  // The filters have a word on it, other than "go on": it is every recipient's.
  void filtered(ipc::RescanWord word, std::string_view reason);
  // The record in the spool is not what it should be: nothing of it may be sent.
  void damaged(std::string_view reason);

  // The server offers no DSN: who asked for word of a success, is to be told by us of those that were reached.
  void owe_success(const mail::Envelope& envelope);

  // Every recipient's RCPT was answered.
  bool all_answered() const { return answered_ == outcome_.recipients.size(); }
  // At least one of them was accepted: content may follow.
  bool any_accepted() const { return accepted_ > 0; }
  // Each recipient has its word.
  const ipc::Outcome& outcome() const { return outcome_; }

 private:
  void for_the_rest(const ipc::RecipientOutcome& word);
  void own_words(mail::Stage stage, std::string_view reason, std::string_view dsn, bool final = false);

  ipc::Outcome outcome_;
  std::vector<bool> decided_;  // for each recipient: nothing changes its word any more
  std::size_t answered_ = 0, accepted_ = 0;
};

// What the destination answered on the whole: the best that a recipient heard. Nothing where it was not asked.
std::optional<stats::Answer> answer_of(const ipc::Outcome& outcome);

}  // namespace holdfast::deliver
