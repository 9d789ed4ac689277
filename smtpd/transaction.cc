#include "smtpd/transaction.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/idn.h"
#include "common/base/announce.h"
#include "common/base/log.h"
#include "common/mail/events.h"
#include "common/mail/received.h"
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
  if (!recipient.domain.empty()) {
    const auto name = base::ascii_domain(recipient.domain);
    return name ? config_->find_domain(*name) : nullptr;
  }
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
    if (mode_ == Mode::kOpen && (screens || !config_->filters.empty())) {
      bypassed_ = bypassed(*config_, *question.domain, shared_.book.state(*destination_, base::wall_now()));
    }
    question.skips = screens && bypassed_;
    screens && !bypassed_ ? screen(std::move(question)) : screened(std::move(question));
  }
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
  auto wait = shared_.admission.admit(asked, [this, question = std::move(question)](const std::optional<mail::Reply>& refusal) mutable {
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
  if (mode_ == Mode::kKept || (relay_ && relay_->lost())) {
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
    return {RcptVerdict::Outcome::kRefused,
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
    relay_ = std::make_unique<Relay>(
        shared_.loop, shared_.pools.of(*destination_, state),
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
  const bool about_recipient = word.from == Word::From::kRcpt && word.reply.permanent() &&
                               mail::speaks_of_recipient(word.reply);
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
  settle(question, judge_rcpt(word, question.view.standing, mode_ == Mode::kLive, question.recipient.text(),
                              config_->pass_on_4xx));
}

void Transaction::settle(const Question& question, RcptVerdict verdict) {
  switch (verdict.outcome) {
    case RcptVerdict::Outcome::kLive:
      keepable_ = keepable_ && question.view.keepable;
      accept(question, Mode::kLive);
      break;
    case RcptVerdict::Outcome::kKept:
      if (mode_ != Mode::kLive && !shared_.spool.room().fits(question.domain->name, declared_size_)) {
        verdict = {RcptVerdict::Outcome::kRefused, mail::Reply::make(452, "4.3.1", fmt::format("<{}>: Too much mail is waiting, try again later", question.recipient.text()))};
        refuse("RCPT", verdict.reply, question.recipient.text(), question.answer);
        return;
      }
      if (const auto refusal = mode_ == Mode::kLive ? std::nullopt : kept_enough(question)) {
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
  recipients_.push_back({.address = question.recipient.text(), .orcpt = question.orcpt, .notify = question.notify, .known = question.view.keepable});
  unfiltered_ = unfiltered_ || question.skips;
  if (id_.value == 0) id_ = shared_.next_id();
}

// RFC 6531 section 4.3: "UTF8SMTP", "UTF8SMTPS".
std::string Transaction::protocol() const {
  return smtputf8_ && client_.protocol.starts_with("ESMTP") ? "UTF8" + client_.protocol.substr(1) : client_.protocol;
}

void Transaction::begin_content() {
  const std::string date = base::rfc5322_date(base::wall_now()), protocol = this->protocol();
  std::string head = mail::received_header({.helo = client_.helo,
                                           .client_name = client_.name,
                                           .literal = client_.literal,
                                           .tls = client_.tls,
                                           .by = config_->hostname,
                                           .protocol = protocol,
                                           .id = id_,
                                           .recipient = recipients_.size() == 1 ? recipients_[0].address : "",
                                           .utf8 = smtputf8_,
                                           .date = date});
  if (unfiltered_) head += "X-Holdfast-Unfiltered: yes\r\n";
  if (chain_ == nullptr) content_.set_head(std::move(head));
  else head_ = std::move(head);
}

void Transaction::content(std::string_view wire) {
  while (const auto piece = gate_.next(wire)) header(*piece);
  if (content_status_ && !wire.empty()) content_status_ = content_.append(wire);
}

void Transaction::header(std::string_view wire) {
  if (content_status_) content_status_ = content_.append(wire);
  header_.append(wire.substr(0, mail::kMaxHeader - header_.size()));
}

// RFC 5321 section 6.3 for the loops.
std::optional<mail::Reply> Transaction::unacceptable_header() const {
  const auto& limits = config_->smtpd;
  if (gate_.octets() > limits.header_size_limit) {
    return mail::Reply::make(552, "5.3.4", fmt::format("Message header is bigger than {} bytes", limits.header_size_limit));
  }
  if (gate_.fields() > static_cast<std::uint64_t>(limits.max_header_fields)) {
    return mail::Reply::make(552, "5.3.4", fmt::format("Message header has more than {} fields", limits.max_header_fields));
  }
  if (gate_.received() > static_cast<std::uint64_t>(limits.max_hops)) return mail::Reply::make(554, "5.4.6", "Too many hops");
  return std::nullopt;
}

// EHLO told the limit only if all mail goes to one destination.
bool Transaction::too_big_for_destination() const {
  const auto can = shared_.book.last_seen(*destination_);
  return can && can->size && can->size_limit > 0 && octets_ > can->size_limit;
}

std::optional<mail::Reply> Transaction::unacceptable(const smtp::event::ContentEnd& end) const {
  if (end.refusal) return end.refusal;
  if (!content_status_) {
    base::log().warning(fmt::format("{}: content cannot be held: {}", id_.text(), content_status_.error().text));
    return content_status_.error().kind == base::Kind::kNoSpace
               ? mail::Reply::make(452, "4.3.1", "Insufficient system storage")
               : mail::Reply::make(451, "4.3.0", "Local error in processing");
  }
  if (mode_ == Mode::kKept && too_big_for_destination()) {
    return mail::Reply::make(552, "5.3.4", "Message size exceeds what the mail server takes");
  }
  return unacceptable_header();
}

void Transaction::end(const smtp::event::ContentEnd& end, Answer answer) {
  ended_ = shared_.loop.now();
  octets_ = end.octets;
  stats::count(stats::Counter::kReceivedBytes, octets_);
  end_answer_ = std::move(answer);
  if (const auto piece = gate_.finish()) header(*piece);
  if (const auto refusal = unacceptable(end)) {
    relay_.reset();
    refuse_message(*refusal);
    return;
  }
  message_id_ = mail::scan_header(header_).message_id;
  if (!discarded_by_.empty()) return discard(discarded_by_);
  chain_ != nullptr ? filter_content() : dispatch();
}

void Transaction::dispatch() {
  if (mode_ == Mode::kLive) {
    send_live();
  } else {
    keep();
  }
}

void Transaction::send_live() {
  relay_->send(content_, [this](const Word& word) { sent(word); });
}

void Transaction::sent(const Word& word) {
  relay_.reset();
  if (word.possible_duplicate) {
    base::log().warning(mail::events::possible_duplicate(id_, word.relay));
    base::announce(base::Level::kNotice, "possible_duplicate", {{"destination", destination_->name}, {"queue_id", id_.text()}, {"relay", word.relay}});
    shared_.spool.possible_duplicate();
  }
  if (!word.taken.empty()) return keep_for_the_rest(word);
  const auto verdict = judge_end(word, keepable_, config_->pass_on_4xx);
  if (verdict.keep) {
    base::log().notice(fmt::format("{}: kept: {}", id_.text(),
                                   word.from == Word::From::kNobody ? word.reason : word.reply.text()));
    keep();
    return;
  }
  if (!verdict.reply.positive()) {
    refuse_message(verdict.reply);
    return;
  }
  stats::count(stats::Counter::kMessagesProxied);
  stats::count(stats::Counter::kProxiedBytes, octets_);
  stats::observe(stats::Histogram::kProxySeconds, shared_.loop.now() - ended_);
  log_proxied(word);
  tell_of_success(word);
  end_answer_(verdict.reply);
}

// By LMTP the message may be some recipients' already: a refusal would have it sent to them again (decision 12).
void Transaction::keep_for_the_rest(const Word& word) {
  std::vector<mail::Recipient> rest;
  std::size_t i = 0;
  std::erase_if(recipients_, [&](mail::Recipient& recipient) {
    const bool taken = i < word.taken.size() && word.taken[i];
    ++i;
    if (!taken) rest.push_back(std::move(recipient));
    return !taken;
  });
  log_sent(word);
  tell_of_success(word);
  base::log().notice(fmt::format("{}: kept for {} of {} recipients", id_.text(), rest.size(), i));
  recipients_ = std::move(rest);
  keep();
}

mail::Envelope Transaction::envelope() const {
  mail::Envelope out;
  out.sender = sender_;
  out.recipients = recipients_;
  out.destination = destination_->name;
  out.arrival_ms = base::to_millis(base::wall_now());
  out.client_address = client_.address;
  out.client_port = client_.port;
  out.client_name = client_.name;
  out.helo = client_.helo;
  out.protocol = protocol();
  out.tls = client_.tls;
  out.smtputf8 = smtputf8_;
  out.body = body_;
  out.ret = ret_;
  out.envid = envid_;
  out.unfiltered = unfiltered_;
  out.message_id = message_id_;
  out.hold = hold_;
  return out;
}

void Transaction::keep() {
  spool_token_ = shared_.spool.keep(id_, envelope(), std::move(content_), [this](const base::Status& status) { kept(status); });
}

void Transaction::kept(const base::Status& status) {
  spool_token_.reset();
  if (status) {
    stats::count(stats::Counter::kMessagesKept);
    stats::count(stats::Counter::kKeptBytes, octets_);
    stats::observe(stats::Histogram::kKeepSeconds, shared_.loop.now() - ended_);
    base::log().write(mail::events::client(id_, client_.name, client_.address));
    if (unfiltered_) {
      stats::count(stats::Counter::kMessagesUnfiltered);
      base::log().notice(fmt::format("{}: unfiltered: kept without asking the filters, while {} is down", id_.text(), destination_->name));
    }
    end_answer_(mail::Reply::make(250, "2.0.0", fmt::format("Ok: queued as {}", id_.text())));
    return;
  }
  base::log().error(fmt::format("{}: not spooled: {}", id_.text(), status.error().text));
  refuse_message(status.error().kind == base::Kind::kNoSpace ? mail::Reply::make(452, "4.3.1", "Insufficient system storage")
                                                             : mail::Reply::make(451, "4.3.0", "Local error in processing"));
}

void Transaction::refuse_message(const mail::Reply& reply) {
  stats::count(reply.permanent() ? stats::Counter::kMessagesRefused : stats::Counter::kMessagesDeferred);
  refuse("END-OF-MESSAGE", reply, "", end_answer_);
}

void Transaction::refuse(std::string_view stage, const mail::Reply& reply, std::string_view recipient,
                         const Answer& answer) {
  log_reject(client_, {.stage = stage, .reply = reply, .sender = sender_, .recipient = recipient});
  answer(reply);
}

}  // namespace holdfast::smtpd
