#include <optional>
#include <utility>

#include "common/upstream/connection_impl.h"

namespace holdfast::upstream {
namespace {

Stage stage_of(ClientCommand command) {
  switch (command) {
    case ClientCommand::kBanner: return Stage::kBanner;
    case ClientCommand::kEhlo:
    case ClientCommand::kLhlo:
    case ClientCommand::kXclient:
    case ClientCommand::kHelo: return Stage::kEhlo;
    case ClientCommand::kStartTls: return Stage::kStartTls;
    case ClientCommand::kAuth: return Stage::kAuth;
    case ClientCommand::kMail: return Stage::kMail;
    case ClientCommand::kRcpt: return Stage::kRcpt;
    case ClientCommand::kData: return Stage::kData;
    case ClientCommand::kDot: return Stage::kDot;
    default: return Stage::kNone;
  }
}

bool answers(ClientCommand command, const mail::Reply& reply) {
  if (reply.temporary() || reply.permanent()) return true;
  return command == ClientCommand::kData ? reply.intermediate() : reply.positive();
}

}  // namespace

void Connection::Impl::start() {
  deadline.in(timeouts.session);
  open_stream();
}

void Connection::Impl::open_stream() {
  stream = net::Stream::connect(loop, address, timeouts.connect, *this);
  socketless = stream->fd() < 0;
  if (opening.manner.tell == Manner::Tell::kProxy) stream->write(proxy_header(opening.client.get(), address));
}

void Connection::Impl::on_data(std::string_view bytes) {
  const auto self = shared_from_this();
  session.receive(bytes);
  while (handler != nullptr) {
    std::optional<smtp::ClientEvent> event = session.next_event();
    if (!event) break;
    on_event(*event);
  }
  if (handler != nullptr) {
    send_waiting();
    flush_session();
  }
}

void Connection::Impl::on_end(std::string_view reason) {
  const auto self = shared_from_this();
  if (handler == nullptr) return;
  const Stage stage = stage_now();
  if (stage == Stage::kStartTls) return tls_failed(reason.empty() ? "connection closed by the server" : reason);
  timed_out = reason == "connection timed out" || reason == "timed out";
  fail(stage, reason.empty() ? "connection closed by the server" : reason);
}

void Connection::Impl::on_sent() {
  const auto self = shared_from_this();
  if (content_begun && content != nullptr) {
    pump_content();
  } else if (dot_written && !dot_sent) {
    dot_sent = true;
    deadline.in(timeouts.dot);
  }
}

void Connection::Impl::on_event(smtp::ClientEvent& event) {
  if (event.kind == smtp::ClientEvent::Kind::kReply) {
    on_reply(event.command, event.reply);
    return;
  }
  if (event.kind == smtp::ClientEvent::Kind::kBroken) {
    fail(stage_now(), event.error);
    return;
  }
  const std::string text = event.reply.text();
  fail(stage_now(), text, std::move(event.reply));
}

void Connection::Impl::on_reply(ClientCommand verb, mail::Reply& reply) {
  if (reply.code == 421) spent = true;
  if (!answers(verb, reply)) {
    const std::string text = "unexpected reply " + reply.text();
    fail(stage_of(verb), text);
    return;
  }
  if (!greeted) {
    on_greeting(verb, reply);
    return;
  }
  const bool tell = !sent.empty() && sent.front();
  if (!sent.empty()) sent.pop_front();
  wait_for_answers();
  if (tell) on_answer(verb, reply);
}

void Connection::Impl::on_greeting(ClientCommand verb, mail::Reply& reply) {
  if (verb == ClientCommand::kEhlo && reply.permanent()) {
    session.helo(helo);
  } else if (verb == ClientCommand::kStartTls) {
    on_starttls(reply);
  } else if (verb == ClientCommand::kXclient && reply.code != 421) {
    on_xclient(reply);
  } else if (!reply.positive()) {
    refuse(stage_of(verb), std::move(reply));
  } else if (verb == ClientCommand::kBanner) {
    banner = std::move(reply);
    greeting = Stage::kEhlo;
    greet();
  } else {
    if (verb == ClientCommand::kAuth) {
      logged_in = true;
    } else {
      ehlo_reply = std::move(reply);
    }
    greeted_by_server();
  }
}

void Connection::Impl::refuse(Stage stage, mail::Reply reply) {
  const std::string text = reply.text();
  if (!spent) {
    session.quit();
    flush_session();
    stream->close_when_sent();
  }
  fail(stage, text, std::move(reply));
}

void Connection::Impl::on_answer(ClientCommand verb, const mail::Reply& reply) {
  switch (verb) {
    case ClientCommand::kMail:
      mail_answered = reply.positive();
      if (!mail_answered) end_transaction();
      handler->on_mail(reply);
      break;
    case ClientCommand::kRcpt: handler->on_rcpt(reply); break;
    case ClientCommand::kData:
      if (reply.intermediate()) {
        begin_content();
      } else {
        end_transaction();
        if (!spent) ask({ClientCommand::kRset, {}, {}, false});  // many servers keep the transaction open
        handler->on_data_refused(reply);
      }
      break;
    case ClientCommand::kDot:
      if (!dot_sent && reply.positive()) {
        fail(Stage::kContent, "answered before the end of the content");
        break;
      }
      if (!dot_sent) spent = true;  // refused before it had all: out of step
      if (session.outstanding() == 0) end_transaction();
      handler->on_sent(reply);
      break;
    case ClientCommand::kRset: handler->on_reset(reply); break;
    default: break;
  }
}

}  // namespace holdfast::upstream
