// The live side of a transaction: MAIL, RCPT and content on a connection to the destination, taken from
// the pool and given back between a slow client's words. One question at a time; each gets one Word.
//
// - A pooled connection that fails before MAIL is answered is replaced once. A server that fails before
//   any recipient was accepted is followed by the next, 20 s over all (design.md section 3).
// - A transaction that waits over 30 s for its client is reset and its connection given back; it is
//   replayed before the next question. A replay that goes differently counts as a lost connection.
// - Once a recipient was accepted and the connection is lost, lost() is true and every Word is kNobody.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/net/loop.h"
#include "common/storage/content.h"
#include "common/upstream/pool.h"
#include "smtpd/judgement.h"

namespace holdfast::smtpd {

struct RelayWaits {
  net::Millis answer{20'000};  // for the answer to RCPT, over all servers
  net::Millis park{30'000};    // for the client's next word
};

class Relay final : private upstream::ConnectionHandler {
 public:
  struct Mail {
    std::string sender;      // as written
    std::uint64_t size = 0;  // declared, 0: not
    bool eightbit = false;
    bool smtputf8 = false;  // goes to a server that offers it only: else the Word is kMail's, 550 5.6.7
    std::string ret{}, envid{};  // RFC 3461; passed on where the server offers DSN
    upstream::ClientPtr client{};  // where the server is to hear whose mail it is
  };
  struct Rcpt {
    std::string address;
    std::string notify{}, orcpt{};
  };
  // Called once a question, never inside it; may destroy the Relay.
  using Answer = std::function<void(Word)>;

  Relay(net::Loop& loop, std::shared_ptr<upstream::Pool> pool, Mail mail, RelayWaits waits = {});
  ~Relay() override;

  void rcpt(Rcpt recipient, Answer answer);
  // After at least one recipient was accepted. The content is read until the answer comes.
  void send(const storage::Content& content, Answer answer);
  bool lost() const { return lost_; }

 private:
  enum class Asked { kNothing, kRcpt, kContent };
  class Source;

  void proceed();
  void acquire(bool fresh);
  void acquired(upstream::AcquireResult result);
  void start_transaction();
  void ask(const Rcpt& recipient);
  void start_content();
  void on_deadline();
  void leave_server(Word::From from, const mail::Reply& reply);
  void try_elsewhere(bool replaceable, std::string reason);
  void lose_answer(const std::string& reason);
  void lose(std::string reason, bool possible_duplicate = false);
  void finish(Word word);
  void park();
  net::Millis time_left() const;

  void on_mail(const mail::Reply& reply) override;
  void on_rcpt(const mail::Reply& reply) override;
  void on_data_refused(const mail::Reply& reply) override;
  void on_sent(const mail::Reply& reply) override;
  void on_failed(const upstream::Failure& failure) override;

  net::Loop& loop_;
  const std::shared_ptr<upstream::Pool> pool_;
  const Mail mail_;
  const RelayWaits waits_;
  std::vector<Rcpt> accepted_;
  std::size_t replayed_ = 0;  // of accepted_, on the present connection
  bool lost_ = false;
  bool unresolved_ = false;
  std::string lost_reason_;

  Asked asked_ = Asked::kNothing;
  Answer answer_;
  Rcpt recipient_;  // asked about
  std::unique_ptr<Source> source_;
  std::vector<mail::Reply> to_dot_;  // by LMTP, one a recipient
  base::Mono asked_at_{};
  bool replaced_ = false, mail_answered_ = false;
  std::optional<Word> closing_word_;  // the last 421 to the present question
  std::vector<std::string> avoid_;
  std::string relay_ = "none";
  bool dsn_ = false;  // of the server that has the content

  std::optional<upstream::Pool::Waiter> waiter_;
  std::optional<upstream::Lease> lease_;
  net::Timer deadline_, parking_;
};

}  // namespace holdfast::smtpd
