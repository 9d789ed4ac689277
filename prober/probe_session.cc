#include "prober/probe_session.h"

#include "common/base/installation_token.h"
#include "common/base/text.h"

namespace holdfast::prober {
namespace {

// For all that is asked after the verdict.
constexpr base::Millis kAnswersWithin{60'000};

upstream::Timeouts timeouts(const ProbeSpec& spec) {
  return {.connect = spec.connect, .session = spec.within, .command = spec.within};
}

std::string spoken(mail::Stage stage, const mail::Reply& reply) {
  return std::string(mail::to_text(stage)) + ": " + reply.text();
}

}  // namespace

ProbeSession::ProbeSession(net::Loop& loop, const net::SocketAddress& to, ProbeSpec spec, Owner& owner)
    : address_(to.text()),
      spec_(std::move(spec)),
      owner_(owner),
      deadline_(loop,
                [this] {
                  if (judged_) return finish();
                  const mail::Stage stage = verdict_.greeted ? mail::Stage::kMail : mail::Stage::kBanner;
                  fail(stage, std::string(mail::to_text(stage)) + ": timed out");
                }),
      connection_(loop, to, spec_.helo, timeouts(spec_), *this, spec_.security, spec_.server, {.manner = spec_.manner}) {
  deadline_.start(spec_.within);
}

ProbeSession::~ProbeSession() = default;

void ProbeSession::on_ready() {
  verdict_.greeted = true;
  verdict_.capabilities = connection_.capabilities();
  verdict_.capabilities.starttls |= connection_.secured();  // behind TLS it is not offered a second time
  if (is_ourselves()) return fail(mail::Stage::kEhlo, std::string(kPointsBack), true);
  connection_.mail("", "");
}

bool ProbeSession::is_ourselves() const {
  if (spec_.token.empty()) return false;
  const std::string wanted = std::string(base::kTokenKeyword) + " " + spec_.token;
  for (const std::string& line : connection_.ehlo_reply().lines) {
    if (base::iequals(base::trim(line), wanted)) return true;
  }
  return false;
}

void ProbeSession::on_mail(const mail::Reply& reply) {
  mail_refused_ = !reply.positive();
  if (judged_) {
    if (mail_refused_) return answered(reply);
    return connection_.rcpt(asks_[answers_.size()].address);
  }
  if (reply.temporary()) return fail(mail::Stage::kMail, spoken(mail::Stage::kMail, reply));
  if (!mail_refused_) return connection_.rcpt(spec_.postmaster);
  // A server that takes no null sender is odd, not down.
  verdict_.evidence = {.ok = true, .stage = mail::Stage::kRcpt, .reason = {}, .probe = true};
  give_verdict(verdict_);
}

void ProbeSession::on_rcpt(const mail::Reply& reply) {
  if (judged_) return answered(reply);
  if (reply.code == 421) return fail(mail::Stage::kRcpt, spoken(mail::Stage::kRcpt, reply));
  verdict_.postmaster_accepted = reply.positive();
  verdict_.evidence = {.ok = true, .stage = mail::Stage::kRcpt, .reason = {}, .probe = true};
  give_verdict(verdict_);
}

void ProbeSession::on_reset(const mail::Reply&) {
  if (judged_) ask_next();
}

void ProbeSession::on_failed(const upstream::Failure& failure) {
  if (failure.stage == mail::Stage::kLocal) judged_ = true;  // our own trouble: no verdict
  if (judged_) return finish();
  const mail::Stage stage = failure.stage == mail::Stage::kNone ? mail::Stage::kMail : failure.stage;
  fail(stage, failure.reason);
}

void ProbeSession::fail(mail::Stage stage, std::string reason, bool certain) {
  verdict_.evidence = {.ok = false, .stage = stage, .reason = std::move(reason), .probe = true, .certain = certain};
  give_verdict(verdict_);
}

void ProbeSession::give_verdict(Verdict verdict) {
  judged_ = true;
  deadline_.start(kAnswersWithin);
  asks_ = owner_.on_verdict(address_, verdict);
  if (!verdict.evidence.ok) return finish();
  if (!connection_.ready()) return finish();
  if (connection_.in_transaction()) {
    connection_.reset();
  } else {
    ask_next();
  }
}

void ProbeSession::ask_next() {
  // A null sender that was refused will be refused again.
  if (answers_.size() == asks_.size() || mail_refused_ || connection_.spent()) return finish();
  connection_.mail("", "");
}

void ProbeSession::answered(const mail::Reply& reply) {
  answers_.push_back({asks_[answers_.size()], reply});
  if (connection_.in_transaction()) {
    connection_.reset();
  } else {
    ask_next();
  }
}

void ProbeSession::finish() {
  deadline_.stop();
  if (connection_.ready()) {
    connection_.quit();
  } else {
    connection_.close();
  }
  while (answers_.size() < asks_.size()) answers_.push_back({asks_[answers_.size()], {}});
  owner_.on_finished(address_, answers_);
}

}  // namespace holdfast::prober
