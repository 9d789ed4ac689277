// One mail transaction, from MAIL to the answer to the dot: live, when a recipient was accepted by the
// destination, or kept, when one was accepted in its stead (design.md section 3). Nothing is ever both.
// Destroying it at any moment leaves nothing behind: a live one is reset, what was not yet durable is
// forgotten.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/filtering/filter_chain.h"
#include "common/mail/envelope.h"
#include "common/mail/header_gate.h"
#include "common/smtp/server_session.h"
#include "common/storage/content.h"
#include "common/storage/spool_writer.h"
#include "smtpd/judgement.h"
#include "smtpd/relay.h"
#include "smtpd/shared.h"

namespace holdfast::smtpd {

class Transaction {
 public:
  // Called once a question, maybe inside it.
  using Answer = std::function<void(const mail::Reply&)>;

  Transaction(Shared& shared, const Client& client, const smtp::event::Mail& mail);
  ~Transaction();

  void rcpt(const smtp::event::Rcpt& rcpt, Answer answer);
  // Refuses it by our own rule, in the log too.
  void refuse_rcpt(const smtp::event::Rcpt& rcpt, const mail::Reply& reply, const Answer& answer);
  // After a recipient was accepted: content follows.
  void begin_content();
  void content(std::string_view wire);
  void end(const smtp::event::ContentEnd& end, Answer answer);
  // Nobody waits for an answer any more: none is given, and nothing further is done. Destroying does it too.
  void abandon();

 private:
  enum class Mode { kOpen, kLive, kKept };
  struct Question {
    mail::Address recipient;
    std::string notify, orcpt;
    const config::Domain* domain = nullptr;
    RecipientView view;
    Answer answer;
    bool skips = false;  // there is somebody to ask about it, who is not asked
  };
  struct Copied {
    mail::QueueId id;
    std::string of, to;
  };

  const config::Domain* route(mail::Address& recipient) const;
  void screen(Question question);
  // Nobody but the filters and the destination has anything to say any more.
  void screened(Question question);
  bool choose_bypass(const Question& question);
  std::optional<mail::Reply> choose_filters(Question& question);
  void ask_filters(Question question);
  void tell_recipient(Question question);
  bool goes_on(const Question& question, const filtering::Outcome& outcome);
  void discard_recipient(const Question& question);
  void discard(std::string_view filter);
  void refuse_by_filter(std::string_view stage, const filtering::Outcome& outcome, std::string_view recipient, const Answer& answer);
  void filter_content();
  void content_filtered(const filtering::Outcome& outcome);
  filtering::EnvelopeChanges without_quarantine_of_allowed(filtering::EnvelopeChanges changes) const;
  void envelope_changed(const filtering::EnvelopeChanges& changes);
  void passed(Question question);
  void dispatch();
  void ask_destination(Question question);
  void answered(const Question& question, const Word& word);
  void settle(const Question& question, RcptVerdict verdict);
  void accept(const Question& question, Mode mode);
  void send_live();
  void sent(const Word& word);
  void keep();
  void keep_for_the_rest(const Word& word);
  void kept(const base::Status& status);
  // Of what is kept now, if its destination is down (transaction_copies.cc).
  std::vector<storage::SpoolWriter::Copy> make_copies(const mail::Envelope& original);
  void log_copies() const;
  void refuse(std::string_view stage, const mail::Reply& reply, std::string_view recipient, const Answer& answer);
  void note_unfiltered(std::string_view what) const;
  void refuse_message(const mail::Reply& reply);
  RcptVerdict judge_unasked(const Question& question);
  // Of domains in mode `queue` (transaction_queue.cc).
  void verify(Question question);
  bool closed();
  std::string protocol() const;
  std::optional<mail::Reply> kept_enough(const Question& question) const;
  bool too_big_for_destination() const;
  upstream::ClientPtr client_of_mail() const;
  void header(std::string_view wire);
  std::optional<mail::Reply> unacceptable_header() const;
  std::optional<mail::Reply> unacceptable(const smtp::event::ContentEnd& end) const;
  mail::Envelope envelope() const;
  void tell_of_success(const Word& word) const;
  void log_proxied(const Word& word) const;
  void log_sent(const Word& word) const;  // a line a recipient

  Shared& shared_;
  const Client& client_;
  const config::ConfigPtr config_;
  std::string sender_;
  const mail::Body body_;
  const bool smtputf8_;
  const std::string ret_, envid_, parameters_;
  const std::uint64_t declared_size_;
  const base::Mono began_;

  Mode mode_ = Mode::kOpen;
  mail::QueueId id_;                                  // given with the first accepted recipient
  const config::Destination* destination_ = nullptr;  // of the last recipient that was tried
  std::vector<mail::Recipient> recipients_;
  bool keepable_ = true;
  bool unfiltered_ = false;                           // nobody was asked who would have been while the destination is up
  std::optional<mail::Reply> mail_refusal_;           // the destination's 5xx to MAIL
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Admission::Wait> admission_;        // while others are asked about the client

  filtering::FilterChain* chain_ = nullptr;           // the session's; null: no filter is asked
  std::vector<std::size_t> filters_;                  // that it has
  bool spools_ = false;                               // the domain's mode is `queue`: nothing of it is ever live
  bool bypassed_ = false, down_ = false;                             // as it was with the first recipient
  bool told_mail_ = false;
  std::optional<filtering::Outcome> filters_refusal_; // to MAIL
  std::string discarded_by_;
  std::string head_;                                  // our header fields, until filters have seen the rest
  std::string hold_;

  storage::Content content_;
  base::Status content_status_;
  mail::HeaderGate gate_;
  std::string header_;                                // for scan_header(): kMaxHeader octets of it at most
  std::string message_id_;
  std::uint64_t octets_ = 0;
  base::Mono ended_{};
  base::Mono offered_{};  // the content, to the destination: filters have had their say
  Answer end_answer_;
  std::optional<std::uint64_t> spool_token_;
  std::vector<Copied> copies_;  // that are spooled with it
};

}  // namespace holdfast::smtpd
