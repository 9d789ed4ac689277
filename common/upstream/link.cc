#include "common/upstream/link.h"

#include <utility>

#include <fmt/format.h>

namespace holdfast::upstream {

Link::Link(net::Loop& loop, std::weak_ptr<Owner> owner, std::size_t server, ServerName name)
    : loop_(loop), owner_(std::move(owner)), server_(server), name_(std::move(name)) {}

void Link::connect(const net::SocketAddress& to, const std::string& helo, const Timeouts& timeouts,
                   const std::shared_ptr<const Security>& security, Opening opening) {
  const std::string& server = name_.name.empty() ? name_.host : name_.name;
  address_ = to.text();
  relay_ = fmt::format("{}[{}]:{}", server, to.host(), to.port());
  tell_ = opening.manner.tell;
  connection_ = std::make_unique<Connection>(loop_, to, helo, timeouts, *this, security, server, std::move(opening));
}

Link::Fit Link::fit(const ClientPtr& client) const {
  if (tell_ == Manner::Tell::kNothing) return Fit::kYes;
  const bool told = same_for_server(tell_, connection_->client(), client);
  if (client && connection_->may_tell()) return told ? Fit::kYes : Fit::kTell;
  // XCLIENT is not offered, and never was: all mail is ours.
  const bool deaf = tell_ == Manner::Tell::kXclient && !connection_->client() && !connection_->may_tell();
  return told || deaf ? Fit::kYes : Fit::kNo;
}

void Link::tell(ClientPtr client) {
  state_ = State::kMaking;
  telling = true;
  connection_->tell(std::move(client));
}

void Link::lease(bool reused) {
  state_ = State::kLeased;
  reused_ = reused;
  user_ = nullptr;
}

void Link::rest(base::Mono now) {
  state_ = State::kIdle;
  idle_since_ = now;
}

void Link::set_user(ConnectionHandler& user) {
  user_ = &user;
  if (!kept_back_) return;
  loop_.later([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->user_ == nullptr || !self->kept_back_) return;
    const Failure failure = *std::exchange(self->kept_back_, std::nullopt);
    self->user_->on_failed(failure);
  });
}

void Link::release() {
  const auto self = shared_from_this();
  user_ = nullptr;
  if (state_ != State::kLeased) return;
  const auto owner = owner_.lock();
  if (!owner || connection_->spent() || !owner->wanted(*this)) {
    quit();
  } else if (!connection_->ready() || connection_->sending()) {
    drop();
  } else if (connection_->idle()) {
    owner->on_free(*this);
  } else {
    state_ = State::kCleaning;
    connection_->reset();
  }
}

void Link::drop() {
  user_ = nullptr;
  if (state_ == State::kGone) return;
  connection_->close();
  gone();
}

void Link::quit() {
  user_ = nullptr;
  if (state_ == State::kGone) return;
  connection_->quit();
  gone();
}

void Link::gone() {
  state_ = State::kGone;
  const auto self = shared_from_this();
  if (const auto owner = owner_.lock()) owner->on_gone(*this);
}

void Link::report(bool ok, mail::Stage stage, int code, std::string_view reason) {
  if (const auto owner = owner_.lock()) owner->on_observed(*this, ok, stage, code, reason, false);
}

void Link::on_ready() {
  const auto self = shared_from_this();
  if (const auto owner = owner_.lock()) owner->on_made(*this);
}

// Whoever closes in order may be going down: worth a look, no failure. What a 4xx to MAIL means only the
// user of the lease knows.
void Link::note_closing(mail::Stage stage, const mail::Reply& reply) {
  if (reply.code == 421) report(false, stage, reply.code, reply.text());
}

void Link::on_mail(const mail::Reply& reply) {
  const auto self = shared_from_this();
  if (reply.positive()) report(true, mail::Stage::kNone, reply.code, {});
  if (user_ != nullptr) user_->on_mail(reply);
}

void Link::on_rcpt(const mail::Reply& reply) {
  const auto self = shared_from_this();
  note_closing(mail::Stage::kRcpt, reply);
  if (user_ != nullptr) user_->on_rcpt(reply);
}

void Link::on_data_refused(const mail::Reply& reply) {
  const auto self = shared_from_this();
  note_closing(mail::Stage::kData, reply);
  if (user_ != nullptr) user_->on_data_refused(reply);
}

void Link::on_sent(const mail::Reply& reply) {
  const auto self = shared_from_this();
  note_closing(mail::Stage::kDot, reply);
  if (user_ != nullptr) user_->on_sent(reply);
}

void Link::on_reset(const mail::Reply& reply) {
  const auto self = shared_from_this();
  if (state_ == State::kLeased) {
    if (user_ != nullptr) user_->on_reset(reply);
    return;
  }
  const auto owner = owner_.lock();
  if (owner && reply.positive() && connection_->idle() && owner->wanted(*this)) {
    owner->on_free(*this);
  } else {
    quit();
  }
}

void Link::on_failed(const Failure& failure) {
  const auto self = shared_from_this();
  const State before = std::exchange(state_, State::kGone);
  if (const auto owner = owner_.lock()) {
    if (before == State::kMaking) {
      owner->on_not_made(*this, failure);
    } else {
      if (before == State::kLeased && failure.stage != mail::Stage::kLocal) {
        const bool proves_little = failure.stage == mail::Stage::kNone || (reused_ && !failure.mail_answered);
        owner->on_observed(*this, false, failure.stage, failure.reply.code, failure.reason, proves_little);
      }
      owner->on_gone(*this);
    }
  }
  if (before != State::kLeased) return;
  if (user_ != nullptr) {
    user_->on_failed(failure);
  } else {
    kept_back_ = failure;
  }
}

}  // namespace holdfast::upstream
