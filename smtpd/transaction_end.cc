// What becomes of a whole message that nobody refuses: it goes to its destination, or is kept.
#include <fmt/core.h>

#include "common/base/announce.h"
#include "common/base/log.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"
#include "smtpd/client_filters.h"
#include "smtpd/transaction.h"

namespace holdfast::smtpd {

void Transaction::dispatch() {
  if (mode_ == Mode::kLive) {
    send_live();
  } else {
    keep();
  }
}

void Transaction::send_live() {
  offered_ = shared_.loop.now();
  relay_->send(content_, [this](const Word& word) { sent(word); });
}

void Transaction::sent(const Word& word) {
  relay_.reset();
  stats::count_answer(destination_->name, answer_of(word), shared_.loop.now() - offered_);
  if (word.possible_duplicate) {
    base::log().warning(mail::events::possible_duplicate(id_, word.relay));
    base::announce(base::Level::kNotice, "possible_duplicate",
                   {{"destination", destination_->name}, {"queue_id", id_.text()}, {"relay", word.relay}});
    shared_.spool.possible_duplicate();
  }
  if (!word.taken.empty()) return keep_for_the_rest(word);
  const auto verdict = judge_end(word, keepable_, config_->pass_on_4xx);
  if (verdict.keep) {
    base::log().notice(
        fmt::format("{}: kept: {}", id_.text(), word.from == Word::From::kNobody ? word.reason : word.reply.text()));
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
  if (unfiltered_) note_unfiltered("passed on");
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
  if (unfiltered_ && client_.filters != nullptr) out.listener = client_.filters->listener();
  out.message_id = message_id_;
  out.hold = hold_;
  return out;
}

void Transaction::keep() {
  auto original = envelope();
  auto copies = make_copies(original);
  spool_token_ = shared_.spool.keep(id_, std::move(original), std::move(content_), std::move(copies),
                                    [this](const base::Status& status) { kept(status); });
}

void Transaction::kept(const base::Status& status) {
  spool_token_.reset();
  if (status) {
    stats::count(stats::Counter::kMessagesKept);
    stats::count(stats::Counter::kKeptBytes, octets_);
    stats::observe(stats::Histogram::kKeepSeconds, shared_.loop.now() - ended_);
    base::log().write(mail::events::client(id_, client_.name, client_.address));
    if (unfiltered_) note_unfiltered("kept");
    log_copies();
    end_answer_(mail::Reply::make(250, "2.0.0", fmt::format("Ok: queued as {}", id_.text())));
    return;
  }
  base::log().error(fmt::format("{}: not spooled: {}", id_.text(), status.error().text));
  refuse_message(status.error().kind == base::Kind::kNoSpace
                     ? mail::Reply::make(452, "4.3.1", "Insufficient system storage")
                     : mail::Reply::make(451, "4.3.0", "Local error in processing"));
}

void Transaction::note_unfiltered(std::string_view what) const {
  stats::count(stats::Counter::kMessagesUnfiltered);
  base::log().notice(fmt::format("{}: unfiltered: {} without asking the filters{}", id_.text(), what,
                                 down_ ? fmt::format(", while {} is down", destination_->name) : ""));
}

void Transaction::refuse_message(const mail::Reply& reply) {
  stats::count(reply.permanent() ? stats::Counter::kMessagesRefused : stats::Counter::kMessagesDeferred);
  refuse("END-OF-MESSAGE", reply, "", end_answer_);
}

}  // namespace holdfast::smtpd
