#include "deliver/delivery.h"

#include <utility>

#include "deliver/demands.h"

namespace holdfast::deliver {

using mail::Stage;

Delivery::Delivery(net::Loop& loop, ipc::Job job, std::shared_ptr<upstream::Pool> pool, OpenRecord open, Done done,
                   Rescans* rescans)
    : loop_(loop),
      job_(std::move(job)),
      pool_(std::move(pool)),
      open_(std::move(open)),
      done_(std::move(done)),
      builder_(job_),
      asked_(loop.now()),
      given_(asked_),
      unsound_(loop, [this] { finish(); }) {
  if (!open_record()) {
    unsound_.start(base::Millis{0});
    return;
  }
  if (rescans != nullptr) scan_ = rescans->begin(source_->record(), job_, [this](const Scanned& word) { scanned(word); });
  if (!scan_) acquire(false);
}

Delivery::~Delivery() {
  if (lease_) lease_.drop();
}

bool Delivery::in_doubt() { return lease_ && lease_.connection().dot_sent(); }

// Before a connection is asked for: the whole record is read for its checksum.
bool Delivery::open_record() {
  auto record = open_(job_);
  if (record) {
    source_ = std::make_unique<RecordSource>(std::move(*record));
    return true;
  }
  switch (record.error().kind) {
    case base::Kind::kData:
    case base::Kind::kNotFound: builder_.damaged(record.error().text); break;
    case base::Kind::kTemporary:  // descriptors, memory: no record could be read
    case base::Kind::kNoSpace: builder_.local_failure(record.error().text); break;
    default: builder_.unreadable(record.error().text); break;
  }
  return false;
}

void Delivery::scanned(const Scanned& word) {
  if (word.word != ipc::RescanWord::kNone) {
    builder_.filtered(word.word, word.reason);
    return finish();
  }
  sender_ = word.sender;
  asked_ = loop_.now();
  acquire(false);
}

std::uint64_t Delivery::size() const { return scan_ ? scan_->content().size() : source_->record().content_size(); }

upstream::ContentSource& Delivery::source() {
  if (!scan_) return *source_;
  scanned_source_ = std::make_unique<ScannedSource>(scan_->content());
  return *scanned_source_;
}

void Delivery::acquire(bool fresh) {
  waiter_ = pool_->acquire({.deadline = pool_->options().timeouts.session, .fresh = fresh, .avoid = avoid_, .client = client()},
                           [this](upstream::AcquireResult result) { acquired(std::move(result)); });
}

// Whose mail it is, where the server is to hear of it; null: ours, as a bounce is.
upstream::ClientPtr Delivery::client() const {
  const mail::Envelope& envelope = source_->record().envelope();
  if (pool_->options().manner.tell == upstream::Manner::Tell::kNothing || envelope.client_address.empty()) return nullptr;
  return std::make_shared<upstream::Client>(upstream::Client{.address = envelope.client_address,
                                                             .port = envelope.client_port,
                                                             .name = envelope.client_name,
                                                             .helo = envelope.helo,
                                                             .protocol = envelope.protocol});
}

void Delivery::acquired(upstream::AcquireResult result) {
  given_ = loop_.now();
  if (result) {
    lease_ = std::move(*result);
    lease_.set_handler(*this);
    start();
    return;
  }
  if (elsewhere_) {
    builder_.connection_failed(*elsewhere_);
  } else if (result.error().of_client) {
    builder_.client_refused(result.error());
  } else {
    builder_.no_connection(result.error());
  }
  finish();
}

void Delivery::start() {
  builder_.on_relay(lease_.relay());
  const auto demands = demands_of(source_->record(), size(), job_, lease_.connection().capabilities());
  if (demands && !demands->obstacle) return hand_over(demands->smtputf8);
  if (demands) {
    builder_.unfit(demands->obstacle->dsn, demands->obstacle->text);
  } else {
    builder_.local_failure(demands.error().text);
  }
  finish();
}

void Delivery::hand_over(bool smtputf8) {
  begun_ = true;
  upstream::Connection& connection = lease_.connection();
  tells_sender_ = connection.capabilities().dsn;
  const storage::Record& record = source_->record();
  const mail::Envelope& envelope = record.envelope();
  connection.mail(sender_.value_or(envelope.sender), connection.mail_parameters({.size = size(),
                                                               .eightbit = envelope.body == mail::Body::k8BitMime,
                                                               .smtputf8 = smtputf8,
                                                               .ret = envelope.ret,
                                                               .envid = envelope.envid}));
  for (const auto& recipient : job_.recipients) {
    const mail::Recipient* given = recipient.index < envelope.recipients.size() ? &envelope.recipients[recipient.index] : nullptr;
    connection.rcpt(recipient.address,
                    given != nullptr ? connection.rcpt_parameters(given->notify, given->orcpt) : std::string());
  }
}

// Only whoever knows the policy can judge a MAIL that was refused: to the prober it is a reason to look.
void Delivery::on_mail(const mail::Reply& reply) {
  if (reply.positive()) return;
  if (reply.temporary()) lease_.report(false, Stage::kMail, reply.code, "MAIL: " + reply.text());
  builder_.mail_refused(reply);
  finish();
}

void Delivery::on_rcpt(const mail::Reply& reply) {
  builder_.rcpt_answered(reply);
  if (!builder_.all_answered()) return;
  if (builder_.any_accepted()) {
    lease_.connection().send(source());
  } else {
    finish();
  }
}

void Delivery::on_data_refused(const mail::Reply& reply) {
  builder_.data_refused(reply);
  finish();
}

void Delivery::on_sent(const mail::Reply& reply) {
  if (!pool_->options().manner.lmtp) {
    builder_.dot_answered(reply);
    return finish();
  }
  builder_.dot_answered_for_one(reply);
  if (!lease_.connection().in_transaction()) finish();
}

void Delivery::on_failed(const upstream::Failure& failure) {
  const bool early = !failure.mail_answered;
  const bool replaceable = early && lease_.reused() && !replaced_;
  const std::string server = lease_.server().text;
  lease_.drop();
  if (replaceable) {
    replaced_ = true;
    acquire(true);
  } else if (early) {
    elsewhere_ = failure;
    avoid_.push_back(server);
    acquire(false);
  } else {
    builder_.connection_failed(failure);
    finish();
  }
}

void Delivery::finish() {
  const base::Mono now = loop_.now();
  if (begun_ && !tells_sender_) builder_.owe_success(source_->record().envelope());
  times_.connecting = std::chrono::duration_cast<base::Millis>(given_ - asked_);
  times_.transmitting = std::chrono::duration_cast<base::Millis>(now - given_);
  lease_.release();
  const Done done = done_;
  done(*this);
}

}  // namespace holdfast::deliver
