// From the answer to EHLO to a connection that is ready: STARTTLS (RFC 3207), XCLIENT and AUTH (RFC 4954).
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/log.h"
#include "common/mail/events.h"
#include "common/upstream/connection_impl.h"

namespace holdfast::upstream {
namespace {

// Of the time that the session has until it is ready: so that one in the clear can follow.
constexpr int kHandshakeShare = 3;

}  // namespace

bool Connection::Impl::wants_tls() const {
  return security != nullptr && security->tls != Security::Tls::kOff && !secured && !in_clear;
}

void Connection::Impl::greeted_by_server() {
  if (security != nullptr && !security->fault.empty()) return fail(Stage::kStartTls, security->fault);
  if (wants_tls()) {
    if (session.capabilities().starttls) {
      greeting = Stage::kStartTls;
      session.starttls();
      return;
    }
    if (security->tls == Security::Tls::kMust) return fail(Stage::kStartTls, "not offered by the server");
  }
  if (tell_client()) return;
  if (security != nullptr && !security->user.empty() && !logged_in) return log_in();
  greeted = true;
  deadline.none();
  handler->on_ready();
}

void Connection::Impl::greet() {
  if (opening.manner.lmtp) {
    session.lhlo(helo);
  } else {
    session.ehlo(helo);
  }
}

bool Connection::Impl::tell_client() {
  if (opening.manner.tell != Manner::Tell::kXclient || opening.client == told_client) return false;
  const std::string argument = xclient_argument(*opening.client, session.offers().xclient_names);
  if (argument.empty()) return false;
  greeting = Stage::kEhlo;
  told_client = opening.client;
  session.xclient(argument);
  return true;
}

// A server that will not hear of it (or refuses the client at this early point) is spoken with as any other: it has
// MAIL and RCPT to say no. Either way the session begins again.
void Connection::Impl::on_xclient(const mail::Reply& reply) {
  if (!reply.positive()) base::log().notice(fmt::format("XCLIENT was refused by {}: {}", relay(), reply.text()));
  logged_in = false;
  greet();
}

void Connection::Impl::log_in() {
  if (!secured && !security->plaintext) return fail(Stage::kAuth, "the password may not go in the clear");
  greeting = Stage::kAuth;
  if (session.offers().auth_plain) {
    session.auth_plain(security->user, security->password);
  } else if (session.offers().auth_login) {
    session.auth_login(security->user, security->password);
  } else {
    fail(Stage::kAuth, "neither PLAIN nor LOGIN is offered by the server");
  }
}

void Connection::Impl::on_starttls(mail::Reply& reply) {
  if (reply.positive()) {
    stream->start_tls(security->client, security->name.empty() ? server : security->name, timeouts.session / kHandshakeShare);
  } else if (security->tls == Security::Tls::kMust || reply.code == 421) {
    refuse(Stage::kStartTls, std::move(reply));
  } else {
    in_clear = true;
    greeted_by_server();
  }
}

void Connection::Impl::on_secured() {
  const auto self = shared_from_this();
  if (handler == nullptr) return;
  secured = true;
  base::log().write(mail::events::tls_to(relay(), stream->tls().verified ? "Verified" : "Untrusted",
                                         stream->tls().text + (stream->tls().dane ? ", dane" : "")));
  greeting = Stage::kEhlo;
  session.tls_started();
  greet();
  flush_session();
}

void Connection::Impl::tls_failed(std::string_view reason) {
  if (security->tls == Security::Tls::kMay) return connect_in_clear(reason);
  if (reason.starts_with("TLS: ")) reason.remove_prefix(5);
  fail(Stage::kStartTls, reason);
}

// RFC 7435: encryption that fails must not keep the mail back where none would have done.
void Connection::Impl::connect_in_clear(std::string_view why) {
  base::log().notice(fmt::format("STARTTLS with {} failed: {}; going on in the clear", relay(), why));
  loop.bury(std::move(stream));
  session = smtp::ClientSession();
  banner = ehlo_reply = {};
  greeting = Stage::kBanner;
  in_clear = fell_back = true;
  connected = false;
  open_stream();
}

std::string Connection::Impl::relay() const {
  return fmt::format("{}[{}]:{}", server.empty() ? address.host() : server, address.host(), address.port());
}

}  // namespace holdfast::upstream
