#include "smtpd/relay.h"

#include <algorithm>
#include <utility>

namespace holdfast::smtpd {
namespace {

// What the pool itself finds out at the end of the time is of use to all (its breaker, the prober): it speaks first.
constexpr net::Millis kGrace{250};

}  // namespace

class Relay::Source final : public upstream::ContentSource {
 public:
  explicit Source(const storage::Content& content) : size(content.size()), reader_(content) {}
  base::Result<std::string_view> next() override { return reader_.next(); }

  const std::uint64_t size;

 private:
  storage::ContentReader reader_;
};

Relay::Relay(net::Loop& loop, std::shared_ptr<upstream::Pool> pool, Mail mail, RelayWaits waits)
    : loop_(loop),
      pool_(std::move(pool)),
      mail_(std::move(mail)),
      waits_(waits),
      deadline_(loop, [this] { on_deadline(); }),
      parking_(loop, [this] { park(); }) {}

Relay::~Relay() {
  if (!lease_) return;
  if (asked_ == Asked::kContent) {
    lease_->drop();  // the client has gone: what it sent must not be completed
  } else {
    lease_->release();
  }
}

void Relay::rcpt(Rcpt recipient, Answer answer) {
  asked_ = Asked::kRcpt;
  recipient_ = std::move(recipient);
  answer_ = std::move(answer);
  asked_at_ = loop_.now();
  replaced_ = false;
  avoid_.clear();
  closing_word_.reset();
  deadline_.start(waits_.answer + kGrace);
  proceed();
}

void Relay::send(const storage::Content& content, Answer answer) {
  asked_ = Asked::kContent;
  source_ = std::make_unique<Source>(content);
  answer_ = std::move(answer);
  asked_at_ = loop_.now();
  replaced_ = false;
  avoid_.clear();
  proceed();
}

void Relay::proceed() {
  parking_.stop();
  if (lost_) {
    deadline_.start(net::Millis{0});
    return;
  }
  if (!lease_ || !lease_->connection().in_transaction()) {
    if (lease_) {
      start_transaction();
    } else {
      acquire(false);
    }
  } else if (asked_ == Asked::kRcpt) {
    ask(recipient_);
  } else {
    start_content();
  }
}

// A reused connection that is silent at MAIL may have died unseen: that says nothing of the server.
void Relay::on_deadline() {
  if (lease_) {
    const auto stage = mail_answered_ ? mail::Stage::kRcpt : mail::Stage::kMail;
    if (mail_answered_ || !lease_->reused()) lease_->report(false, stage, 0, "no answer in time");
    lease_->drop();
    lease_.reset();
  }
  lose("no answer in time");
}

net::Millis Relay::time_left() const {
  const auto gone = std::chrono::duration_cast<net::Millis>(loop_.now() - asked_at_);
  return std::max(waits_.answer - gone, net::Millis{1});
}

void Relay::acquire(bool fresh) {
  waiter_.emplace(pool_->acquire({.deadline = time_left(), .fresh = fresh, .avoid = avoid_, .client = mail_.client},
                                [this](upstream::AcquireResult result) { acquired(std::move(result)); }));
}

void Relay::acquired(upstream::AcquireResult result) {
  waiter_.reset();
  if (!result) {
    relay_ = result.error().relay;
    const auto& failure = result.error();
    if (failure.of_client && failure.reply.code != 0 && accepted_.empty()) {
      finish({.from = Word::From::kMail, .reply = failure.reply});  // said of this sender, as at MAIL
    } else if (closing_word_ && accepted_.empty()) {
      finish(*std::exchange(closing_word_, std::nullopt));
    } else {
      unresolved_ = failure.dsn == "4.4.3";
      lose(failure.reason);
    }
    return;
  }
  lease_.emplace(std::move(*result));
  relay_ = lease_->relay();
  lease_->set_handler(*this);
  start_transaction();
}

void Relay::start_transaction() {
  replayed_ = 0;
  mail_answered_ = false;
  auto& connection = lease_->connection();
  if (mail_.smtputf8 && !connection.capabilities().smtputf8) {
    on_mail(mail::Reply::make(550, "5.6.7", "The mail server does not take SMTPUTF8"));
    return;
  }
  const std::uint64_t size = asked_ == Asked::kContent ? source_->size : mail_.size;
  connection.mail(mail_.sender, connection.mail_parameters({.size = size,
                                                            .eightbit = mail_.eightbit,
                                                            .smtputf8 = mail_.smtputf8,
                                                            .ret = mail_.ret,
                                                            .envid = mail_.envid}));
  for (const auto& recipient : accepted_) ask(recipient);
  if (asked_ == Asked::kRcpt) ask(recipient_);
}

void Relay::ask(const Rcpt& recipient) {
  auto& connection = lease_->connection();
  connection.rcpt(recipient.address, connection.rcpt_parameters(recipient.notify, recipient.orcpt));
}

void Relay::start_content() {
  dsn_ = lease_->connection().capabilities().dsn;
  lease_->connection().send(*source_);
}

void Relay::on_mail(const mail::Reply& reply) {
  mail_answered_ = reply.positive();
  if (mail_answered_) return;
  if (reply.temporary()) lease_->report(false, mail::Stage::kMail, reply.code, reply.text());
  if (reply.code == 421) {
    leave_server(Word::From::kMail, reply);
    return;
  }
  lease_->release();
  lease_.reset();
  if (!accepted_.empty()) {
    lose("MAIL was refused when it was repeated: " + reply.text());
  } else {
    finish({.from = Word::From::kMail, .reply = reply});
  }
}

void Relay::on_rcpt(const mail::Reply& reply) {
  if (replayed_ < accepted_.size()) {
    if (!reply.positive()) {
      lease_->release();
      lease_.reset();
      lose("a recipient was refused when it was repeated: " + reply.text());
    } else if (++replayed_ == accepted_.size() && asked_ == Asked::kContent) {
      start_content();
    }
    return;
  }
  if (reply.code == 421) {
    leave_server(Word::From::kRcpt, reply);
    return;
  }
  if (reply.positive()) {
    accepted_.push_back(recipient_);
    replayed_ = accepted_.size();
  }
  parking_.start(waits_.park);
  finish({.from = Word::From::kRcpt, .reply = reply});
}

void Relay::on_data_refused(const mail::Reply& reply) {
  lease_->release();
  lease_.reset();
  finish({.from = Word::From::kData, .reply = reply});
}

void Relay::on_sent(const mail::Reply& reply) {
  to_dot_.push_back(reply);
  if (lease_->connection().in_transaction()) return;  // LMTP: the next recipient's follows
  lease_->release();
  lease_.reset();
  finish(to_dot_.size() == 1 ? Word{.from = Word::From::kDot, .reply = reply} : sum_up(to_dot_, accepted_.size()));
}

void Relay::on_failed(const upstream::Failure& failure) {
  const bool replaceable = lease_->reused() && !failure.mail_answered;
  const std::string server = lease_->server().text;
  lease_.reset();
  if (asked_ == Asked::kNothing) {
    lost_ = !accepted_.empty();
    lost_reason_ = failure.reason;
    return;
  }
  if (failure.dot_sent) {
    lose_answer(failure.reason);
    return;
  }
  if (!replaceable || replaced_) avoid_.push_back(server);
  try_elsewhere(replaceable, failure.reason);
}

// A 421 ends the connection, whatever it answers. It is the answer if no other server gives one: it may be policy
// against this sender.
void Relay::leave_server(Word::From from, const mail::Reply& reply) {
  closing_word_ = Word{.from = from, .reply = reply};
  avoid_.push_back(lease_->server().text);
  lease_->drop();
  lease_.reset();
  try_elsewhere(false, reply.text());
}

// Another connection, as long as nothing was accepted that the loss of this one makes doubtful.
void Relay::try_elsewhere(bool replaceable, std::string reason) {
  if (replaceable && !replaced_) {
    replaced_ = true;
    acquire(true);
  } else if (accepted_.empty()) {
    acquire(false);
  } else {
    lose(std::move(reason));
  }
}

void Relay::lose(std::string reason, bool possible_duplicate) {
  if (!lost_) {
    lost_ = !accepted_.empty();
    lost_reason_ = std::move(reason);
  }
  waiter_.reset();
  finish({.from = Word::From::kNobody, .reply = {}, .reason = lost_reason_, .possible_duplicate = possible_duplicate});
}

// After the dot. By LMTP some recipients may have been answered.
void Relay::lose_answer(const std::string& reason) {
  Word word = sum_up(to_dot_, accepted_.size());
  if (word.taken.empty()) return lose(reason, true);
  word.reason = reason;
  word.possible_duplicate = true;
  finish(std::move(word));
}

void Relay::finish(Word word) {
  deadline_.stop();
  asked_ = Asked::kNothing;
  word.relay = relay_;
  word.unresolved = std::exchange(unresolved_, false);
  word.dsn = dsn_;
  const auto answer = std::exchange(answer_, {});
  answer(std::move(word));
}

// A slow client does not hold a connection that others wait for.
void Relay::park() {
  if (!lease_ || asked_ != Asked::kNothing) return;
  lease_->release();
  lease_.reset();
}

}  // namespace holdfast::smtpd
