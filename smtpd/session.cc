#include "smtpd/session.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/base/installation_token.h"
#include "common/base/log.h"
#include "common/base/memory_reserve.h"
#include "common/base/text.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"
#include "smtpd/crowd.h"
#include "smtpd/reject_log.h"

namespace holdfast::smtpd {
namespace {

// Replies that a client does not read: no more of its commands are answered until they have gone.
constexpr std::size_t kMaxUnsent = 64 << 10;

constexpr net::Millis kHandshake{30'000};

smtp::ServerOptions core_options(const Shared& shared) {
  const auto& config = shared.book.config();
  smtp::ServerOptions out{
      .hostname = config.hostname,
      .size_limit = config.smtpd.message_size_limit,
      .max_recipients = static_cast<std::size_t>(config.smtpd.max_recipients),
      .bare_newline = config.smtpd.bare_newline_normalize ? smtp::BareNewline::kNormalize : smtp::BareNewline::kReject,
      .max_errors = config.smtpd.max_errors,
      .max_junk = config.smtpd.max_junk,
      .smtputf8 = true,
      .dsn = true,
      .chunking = true,
      .starttls = shared.tls != nullptr,
      .tls_required = config.smtpd.tls_required,
      .limits = true,
      .extra_ehlo = {fmt::format("{} {}", base::kTokenKeyword, shared.token)}};
  if (config.destinations.size() != 1) return out;
  if (const auto can = shared.book.last_seen(config.destinations.begin()->second)) {
    if (can->size && can->size_limit > 0) out.size_limit = std::min(out.size_limit, can->size_limit);
    out.eightbitmime = can->eightbitmime;
    out.smtputf8 = can->smtputf8;
  }
  return out;
}

}  // namespace

Session::Session(Shared& shared, base::UniqueFd fd, const net::SocketAddress& peer, std::function<void()> ended)
    : shared_(shared),
      client_{.address = peer.host(), .port = peer.port(), .literal = peer.literal(), .name = {}, .helo = {}, .place = &place_, .protocol = "SMTP"},
      ip_(peer.ip_address()),
      core_(core_options(shared)),
      stream_(shared.loop, std::move(fd), *this),
      ended_(std::move(ended)) {
  stream_.set_idle_timeout(shared.book.config().smtpd.command_timeout);
}

Session::~Session() = default;

void Session::drain() {
  draining_ = true;
  if (!over_ && !core_.in_transaction() && !core_.awaits_answer()) {
    close(mail::Reply::make(421, "4.3.2", "Service is shutting down"));
  }
}

void Session::on_data(std::string_view bytes) {
  if (opening_) return before_banner(bytes);
  core_.receive(bytes);
  pump();
}

void Session::pump() {
  pumping_ = true;
  while (!congested() && !penalty_) {
    const auto event = core_.next_event();
    if (!event) break;
    handle(*event);
    slow_down();
  }
  pumping_ = false;
  if (draining_ && !core_.closing()) drain();
  flush();
}

bool Session::congested() { return core_.output().size() + stream_.unsent() > kMaxUnsent; }

void Session::flush() {
  if (over_) return;
  if (penalty_ && !core_.closing()) return stream_.pause_reading();
  // Also what the core answers by itself, as NOOP, was a whole command.
  if (!core_.output().empty() && !patience_.in_content()) patience_.begin_command(shared_.loop.now());
  stream_.write(core_.output());
  core_.output().clear();
  if (core_.closing()) {
    end();
  } else if (congested() || core_.buffered() > smtp::ServerSession::kMaxBuffered) {
    stream_.pause_reading();
  } else {
    stream_.resume_reading();
  }
}

void Session::handle(const smtp::ServerEvent& event) {
  if (!patience_.in_content()) patience_.begin_command(shared_.loop.now());
  std::visit([this](const auto& e) { on(e); }, event);
}

void Session::on(const smtp::event::Connect&) { core_.accept(); }

void Session::on(const smtp::event::Helo& event) {
  forget_filters();
  client_.helo = event.name;
  client_.protocol = !event.esmtp ? "SMTP" : core_.secured() ? "ESMTPS" : "ESMTP";
  if (told_ && told_->helo && !told_->helo->empty()) client_.helo = *told_->helo;
  if (told_ && told_->proto && !told_->proto->empty()) client_.protocol = *told_->proto;
  if (name_wait_) return await_name();
  core_.accept();
}

void Session::on(const smtp::event::Mail& event) {
  if (const auto reply = shared_.limits.message(place_, shared_.loop.now())) {
    log_reject(client_, {.stage = "MAIL", .reply = *reply, .sender = event.sender.text(), .recipient = {}});
    core_.reply(*reply);
    return;
  }
  if (base::short_of_memory()) {
    const auto reply = mail::Reply::make(451, "4.3.2", std::string(kShort));
    log_reject(client_, {.stage = "MAIL", .reply = reply, .sender = event.sender.text(), .recipient = {}});
    core_.reply(reply);
    return;
  }
  if (!shared_.space.accepts(shared_.loop.now(), event.size.value_or(0))) {
    const auto reply = mail::Reply::make(452, "4.3.1", "Insufficient system storage, try again later");
    log_reject(client_, {.stage = "MAIL", .reply = reply, .sender = event.sender.text(), .recipient = {}});
    core_.reply(reply);
    return;
  }
  if (!filters_ && !shared_.book.config().filters.empty()) {
    filters_ = std::make_unique<ClientFilters>(shared_, client_, stream_.local_address());
    client_.filters = filters_.get();
  }
  transaction_ = std::make_unique<Transaction>(shared_, client_, event);
  core_.accept();
}

void Session::on(const smtp::event::Rcpt& event) {
  if (const auto reply = shared_.limits.recipient(place_, shared_.loop.now())) {
    transaction_->refuse_rcpt(event, *reply, [this](const mail::Reply& answered) { answer(answered); });
    return;
  }
  transaction_->rcpt(event, [this](const mail::Reply& reply) { answer(reply); });
}

void Session::on(const smtp::event::Data&) {
  transaction_->begin_content();
  stream_.set_idle_timeout(shared_.book.config().smtpd.data_timeout);
  patience_.begin_content(shared_.loop.now());
  core_.accept();
}

void Session::on(const smtp::event::Content& event) {
  patience_.content(event.bytes.size());
  transaction_->content(event.bytes);
}

void Session::on(const smtp::event::ContentEnd& event) {
  stream_.set_idle_timeout(shared_.book.config().smtpd.command_timeout);
  patience_.begin_command(shared_.loop.now());
  transaction_->end(event, [this](const mail::Reply& reply) {
    finish_transaction();
    answer(reply);
  });
}

void Session::on(const smtp::event::Reset&) {
  patience_.begin_command(shared_.loop.now());
  stream_.set_idle_timeout(shared_.book.config().smtpd.command_timeout);
  finish_transaction();
}

void Session::on(const smtp::event::StartTls&) {
  if (!shared_.tls) return core_.reply(mail::Reply::make(454, "4.7.0", "TLS is not available"));
  core_.accept();
  stream_.write(core_.output());  // the last words in the clear
  core_.output().clear();
  stream_.start_tls(shared_.tls, std::min<net::Millis>(shared_.book.config().smtpd.command_timeout, kHandshake));
}

void Session::on_secured() {
  stats::count(stats::Counter::kTlsSessions);
  forget_filters();
  client_.tls = stream_.tls().text;
  client_.helo.clear();
  client_.protocol = "SMTP";
  base::log().write(mail::events::tls_from(client_.name, client_.address, client_.tls));
  core_.tls_started();
  pump();
}

void Session::on(const smtp::event::Rejected& event) {
  base::log().debug(fmt::format("{}[{}]: refused \"{}\": {}", client_.name, client_.address,
                                base::printable(event.line), event.reply.text()));
  const bool early = event.reply.code == 554 && event.reply.enhanced == "5.5.0";
  if (early) {
    daemon::add(shared_.limits.gauges().early_talkers, std::uint64_t{1});
    stats::count(stats::Counter::kEarlyTalkers);
  }
  if (early || event.verb == smtp::Verb::kMail || event.verb == smtp::Verb::kRcpt) {
    log_reject(client_, {.stage = smtp::to_text(event.verb), .reply = event.reply, .sender = {}, .recipient = {}});
  }
}

// The transaction is buried, not destroyed, when the client's end is seen: its answer may still come in that turn.
void Session::answer(const mail::Reply& reply) {
  if (over_) return;
  // Whoever asks for many that are unknown while the server is down is harvesting (design.md section 3).
  core_.reply(reply, reply.code == 451 && reply.enhanced == "4.4.1");
  patience_.begin_command(shared_.loop.now());
  slow_down();
  if (!pumping_) pump();
}

// It may be on the stack: its answer has led here. But nothing of it may happen any more.
void Session::finish_transaction() {
  if (transaction_) transaction_->abandon();
  shared_.loop.bury(std::move(transaction_));
}

// The client is another from here on.
void Session::forget_filters() {
  if (!filters_) return;
  finish_transaction();
  filters_->forget();
}

void Session::close(const mail::Reply& reply) {
  core_.close(reply);
  flush();
}

void Session::end() {
  if (std::exchange(over_, true)) return;
  if (announced_) base::log().write(mail::events::disconnect(client_.name, client_.address));
  place_.leave();
  opening_.reset();
  name_wait_.reset();
  name_limit_.reset();
  finish_transaction();
  stream_.close_when_sent();
  ended_();
}

void Session::on_sent() {
  if (!pumping_ && !over_) pump();
}

void Session::on_end(std::string_view reason) {
  if (core_.in_transaction() || core_.state() == smtp::State::kHandshake) {
    base::log().notice(fmt::format("lost connection from {}[{}]{}{}", client_.name.empty() ? "unknown" : client_.name,
                                   client_.address, reason.empty() ? "" : ": ", reason));
  }
  end();
}

bool Session::on_idle() {
  if (core_.awaits_answer()) return true;  // we are the ones who keep it waiting
  close(mail::Reply::make(421, "4.4.2", "Timeout, closing the connection"));
  return true;
}

}  // namespace holdfast::smtpd
