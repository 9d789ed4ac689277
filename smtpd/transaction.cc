#include "smtpd/transaction.h"

#include <utility>

#include <fmt/core.h>

#include "common/stats/counters.h"
#include "smtpd/bypass.h"
#include "smtpd/reject_log.h"

namespace holdfast::smtpd {

Transaction::Transaction(Shared& shared, const Client& client, const smtp::event::Mail& mail)
    : shared_(shared),
      client_(client),
      config_(shared.book.config_ptr()),
      sender_(mail.sender.text()),
      body_(mail.body),
      smtputf8_(mail.smtputf8),
      ret_(mail.ret),
      envid_(mail.envid),
      parameters_(client.filters != nullptr ? mail.parameters : std::string_view()),
      declared_size_(mail.size.value_or(0)),
      began_(shared.loop.now()),
      content_(shared.spool.contents_folder()) {}

Transaction::~Transaction() { abandon(); }

void Transaction::abandon() {
  relay_.reset();
  if (chain_ != nullptr) std::exchange(chain_, nullptr)->abort();
  admission_.reset();
  if (spool_token_) shared_.spool.forget(*spool_token_);
  spool_token_.reset();
}

// <postmaster> alone is the postmaster of where the transaction goes, or of our first domain (RFC 5321
// section 4.5.1).
const config::Domain* Transaction::route(mail::Address& recipient) const {
  if (!recipient.domain.empty()) return config_->find_domain(recipient.domain);
  for (const auto& [name, domain] : config_->domains) {
    if (mode_ == Mode::kOpen || domain.destination == destination_->name) {
      recipient.domain = name;
      return &domain;
    }
  }
  return nullptr;
}

void Transaction::rcpt(const smtp::event::Rcpt& rcpt, Answer answer) {
  Question question{.recipient = rcpt.recipient,
                    .notify = std::string(rcpt.notify),
                    .orcpt = std::string(rcpt.orcpt),
                    .domain = nullptr,
                    .view = {},
                    .answer = std::move(answer)};
  question.domain = route(question.recipient);
  const std::string text = question.recipient.text();
  if (question.domain == nullptr || names_another_host(question.recipient)) {
    refuse("RCPT", mail::Reply::make(554, "5.7.1", fmt::format("<{}>: Relay access denied", text)), text,
           question.answer);
    return;
  }
  const auto* destination = config_->find_destination(question.domain->destination);
  if (mode_ != Mode::kOpen && destination != destination_) {
    refuse("RCPT",
           mail::Reply::make(452, "4.5.3", fmt::format("<{}>: goes to another server: send it on its own", text)), text,
           question.answer);
    return;
  }
  if (mode_ != Mode::kOpen && (question.domain->mode == "queue") != spools_) {
    refuse("RCPT",
           mail::Reply::make(452, "4.5.3", fmt::format("<{}>: is handled in another way: send it on its own", text)), text,
           question.answer);
    return;
  }
  spools_ = question.domain->mode == "queue";
  if (destination != destination_) {
    relay_.reset();
    mail_refusal_.reset();
    destination_ = destination;
  }
  question.view = shared_.book.recipient(question.recipient, *question.domain, base::wall_now());
  if (question.view.standing == Standing::kDenied) {
    settle(question, judge_unasked(question));
  } else {
    const bool screens = config_->screens(*question.domain);
    if ((screens || !config_->filters.empty()) && !choose_bypass(question)) {
      return refuse("RCPT", mail::Reply::make(452, "4.5.3", fmt::format("<{}>: is filtered in another way: send it on its own", text)), text,
                    question.answer);
    }
    question.skips = screens && bypassed_;
    screens && !bypassed_ ? screen(std::move(question)) : screened(std::move(question));
  }
}

// Settled with the first recipient. False: this one's domain is treated in another way.
bool Transaction::choose_bypass(const Question& question) {
  if (mode_ == Mode::kOpen) down_ = shared_.book.state(*destination_, base::wall_now()) == mail::DestinationState::kDown;
  const bool skips = bypassed(*config_, *question.domain, down_, question.view.filtering);
  if (mode_ == Mode::kOpen) bypassed_ = skips;
  return skips == bypassed_ || !config::asks_anybody(*config_, *question.domain);
}

void Transaction::screen(Question question) {
  const auto address = base::IpAddress::parse(client_.address).value_or(base::IpAddress{});
  const std::string recipient = question.recipient.text(), key = question.view.key;
  const AdmissionQuestion asked{.visit = {.client = address,
                                          .name = client_.name,
                                          .helo = client_.helo,
                                          .sender = sender_,
                                          .recipient = recipient,
                                          .recipient_key = key},
                                .trusted = client_.place->trusted(),
                                .domain = *question.domain};
  auto wait = shared_.admission.admit(
      asked, [this, question = std::move(question)](const std::optional<mail::Reply>& refusal) mutable {
        if (refusal) return refuse("RCPT", *refusal, question.recipient.text(), question.answer);
        screened(std::move(question));
      });
  if (wait) admission_ = std::move(wait);
}

void Transaction::screened(Question question) {
  config_->filters.empty() ? passed(std::move(question)) : ask_filters(std::move(question));
}

// Nobody has anything against it.
void Transaction::passed(Question question) {
  if (spools_) {
    verify(std::move(question));
  } else if (mode_ == Mode::kKept || (relay_ && relay_->lost())) {
    settle(question, judge_unasked(question));
  } else {
    ask_destination(std::move(question));
  }
}

void Transaction::refuse_rcpt(const smtp::event::Rcpt& rcpt, const mail::Reply& reply, const Answer& answer) {
  refuse("RCPT", reply, rcpt.recipient.text(), answer);
}

// A kept message must be one that its destination takes (design.md section 5).
RcptVerdict Transaction::judge_unasked(const Question& question) {
  const std::string text = question.recipient.text();
  auto verdict = judge_without_destination(question.view.standing, text);
  if (verdict.outcome != RcptVerdict::Outcome::kKept || (!smtputf8_ && declared_size_ == 0)) return verdict;
  const auto can = shared_.book.last_seen(*destination_);
  if (!can) return verdict;
  if (smtputf8_ && !can->smtputf8) {
    return {RcptVerdict::Outcome::kRefused,
            mail::Reply::make(550, "5.6.7", fmt::format("<{}>: The mail server does not take SMTPUTF8", text))};
  }
  if (can->size && can->size_limit > 0 && declared_size_ > can->size_limit) {
    return {
        RcptVerdict::Outcome::kRefused,
        mail::Reply::make(552, "5.3.4", fmt::format("<{}>: Message size exceeds what the mail server takes", text))};
  }
  return verdict;
}

void Transaction::ask_destination(Question question) {
  const auto state = shared_.book.state(*destination_, base::wall_now());
  const bool closed = state == mail::DestinationState::kDown || state == mail::DestinationState::kPaused;
  if (closed && mode_ == Mode::kOpen) {
    if (state == mail::DestinationState::kDown) shared_.prober.probe_now(destination_->name);
    settle(question, judge_unasked(question));
    return;
  }
  if (mail_refusal_) {
    settle(question, {RcptVerdict::Outcome::kRefused, *mail_refusal_});
    return;
  }
  if (!relay_) {
    relay_ = std::make_unique<Relay>(shared_.loop, shared_.pools.of(*destination_, state),
                                     Relay::Mail{.sender = sender_,
                                                 .size = declared_size_,
                                                 .eightbit = body_ == mail::Body::k8BitMime,
                                                 .smtputf8 = smtputf8_,
                                                 .ret = ret_,
                                                 .envid = envid_,
                                                 .client = client_of_mail()},
                                     RelayWaits{.answer = destination_->timeouts.command});
  }
  Relay::Rcpt rcpt{.address = question.recipient.text(), .notify = question.notify, .orcpt = question.orcpt};
  relay_->rcpt(std::move(rcpt), [this, question = std::move(question)](const Word& word) { answered(question, word); });
}

upstream::ClientPtr Transaction::client_of_mail() const {
  if (destination_->client == "none") return nullptr;
  return std::make_shared<upstream::Client>(upstream::Client{.address = client_.address,
                                                             .port = client_.port,
                                                             .name = client_.name,
                                                             .helo = client_.helo,
                                                             .protocol = client_.protocol});
}

void Transaction::answered(const Question& question, const Word& word) {
  if (word.from == Word::From::kMail && word.reply.permanent()) mail_refusal_ = word.reply;
  const bool about_recipient =
      word.from == Word::From::kRcpt && word.reply.permanent() && mail::speaks_of_recipient(word.reply);
  if (about_recipient && question.view.learnt) {
    shared_.prober.refused_known({.destination = destination_->name,
                                  .key = question.view.key,
                                  .address = question.recipient.text(),
                                  .reply = word.reply.text()});
  }
  // 252 promises nothing about the recipient (RFC 5321 section 3.5.3).
  if (word.from == Word::From::kRcpt && word.reply.positive() && word.reply.code != 252) {
    shared_.prober.learn(question.view.key, destination_->name, question.view.refresh);
  }
  auto verdict = judge_rcpt(word, question.view.standing, mode_ == Mode::kLive, question.recipient.text(),
                            config_->pass_on_4xx);
  if (spools_ && verdict.outcome == RcptVerdict::Outcome::kLive) verdict.outcome = RcptVerdict::Outcome::kKept;
  settle(question, std::move(verdict));
}

void Transaction::settle(const Question& question, RcptVerdict verdict) {
  switch (verdict.outcome) {
    case RcptVerdict::Outcome::kLive:
      keepable_ = keepable_ && question.view.keepable;
      accept(question, Mode::kLive);
      break;
    case RcptVerdict::Outcome::kKept:
      if (mode_ != Mode::kLive && !shared_.spool.room().fits(question.domain->name, declared_size_)) {
        verdict = {RcptVerdict::Outcome::kRefused,
                   mail::Reply::make(
                       452, "4.3.1",
                       fmt::format("<{}>: Too much mail is waiting, try again later", question.recipient.text()))};
        refuse("RCPT", verdict.reply, question.recipient.text(), question.answer);
        return;
      }
      if (const auto refusal = mode_ == Mode::kLive || (spools_ && !closed()) ? std::nullopt : kept_enough(question)) {
        refuse("RCPT", *refusal, question.recipient.text(), question.answer);
        return;
      }
      // A live transaction whose connection was lost stays live: its end decides.
      if (mode_ != Mode::kLive) relay_.reset();
      accept(question, mode_ == Mode::kLive ? Mode::kLive : Mode::kKept);
      break;
    case RcptVerdict::Outcome::kRefused:
      refuse("RCPT", verdict.reply, question.recipient.text(), question.answer);
      return;
  }
  question.answer(verdict.reply);
}

std::optional<mail::Reply> Transaction::kept_enough(const Question& question) const {
  return shared_.limits.keep(*client_.place, question.view.key, mode_ == Mode::kKept, shared_.loop.now());
}

void Transaction::accept(const Question& question, Mode mode) {
  mode_ = mode;
  stats::count(mode == Mode::kLive ? stats::Counter::kRecipientsLive : stats::Counter::kRecipientsKept);
  recipients_.push_back({.address = question.recipient.text(),
                         .orcpt = question.orcpt,
                         .notify = question.notify,
                         .known = question.view.keepable});
  unfiltered_ = unfiltered_ || question.skips;
  if (id_.value == 0) id_ = shared_.next_id();
}

void Transaction::refuse(std::string_view stage, const mail::Reply& reply, std::string_view recipient,
                         const Answer& answer) {
  log_reject(client_, {.stage = stage, .reply = reply, .sender = sender_, .recipient = recipient});
  answer(reply);
}

}  // namespace holdfast::smtpd
