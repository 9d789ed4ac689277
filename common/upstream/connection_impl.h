// What a Connection is made of. Private to common/upstream: connection.cc has its commands, content, time and
// ends, connection_events.cc what comes from the network.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "common/net/stream.h"
#include "common/smtp/client_session.h"
#include "common/upstream/connection.h"
#include "common/upstream/deadline.h"

namespace holdfast::upstream {

using mail::Stage;
using smtp::ClientCommand;

struct Connection::Impl : net::StreamHandler, std::enable_shared_from_this<Connection::Impl> {
  // A command that is asked for. `tell`: its answer interests the handler.
  struct Command {
    ClientCommand verb;
    std::string argument, parameters;
    bool tell = true;
  };

  Impl(net::Loop& l, const net::SocketAddress& to, std::string name, const Timeouts& t, ConnectionHandler& h,
       std::shared_ptr<const Security> how, std::string their_name, Opening o)
      : loop(l),
        address(to),
        helo(std::move(name)),
        security(std::move(how)),
        server(std::move(their_name)),
        opening(std::move(o)),
        timeouts(t),
        handler(&h),
        deadline(l, [this] { on_late(); }),
        in_clear(opening.in_clear) {
    if (opening.manner.tell == Manner::Tell::kProxy) told_client = opening.client;
  }

  void start();
  void open_stream();

  // --- what comes from the network ---

  void on_connected() override { connected = true; }
  void on_data(std::string_view bytes) override;
  void on_end(std::string_view reason) override;
  void on_sent() override;
  void on_secured() override;
  void on_event(smtp::ClientEvent& event);
  void on_reply(ClientCommand verb, mail::Reply& reply);
  void on_greeting(ClientCommand verb, mail::Reply& reply);

  // --- from EHLO to ready (connection_security.cc) ---

  bool wants_tls() const;
  void greeted_by_server();
  void greet();  // EHLO or LHLO
  // True: XCLIENT has been sent, and its answer leads on.
  bool tell_client();
  void on_xclient(const mail::Reply& reply);
  void log_in();
  void on_starttls(mail::Reply& reply);
  void tls_failed(std::string_view reason);
  void connect_in_clear(std::string_view why);
  std::string relay() const;

  // RFC 5321 section 3.1: a client that is refused at the banner says QUIT.
  void refuse(Stage stage, mail::Reply reply);
  void on_answer(ClientCommand verb, const mail::Reply& reply);

  // --- commands ---

  void ask(Command command);
  bool may_send() const { return session.outstanding() == 0 || (waiting.empty() && session.capabilities().pipelining); }
  void send_waiting();
  void send(const Command& command);
  void flush_session();

  // --- content ---

  void begin_content();
  void pump_content();
  void end_transaction();

  // --- time ---

  void wait_for_answers();
  void on_late();
  bool content_moves();

  // --- ends ---

  Stage stage_now() const;
  void fail(Stage stage, std::string_view what, mail::Reply reply = {});
  void cut();

  net::Loop& loop;
  net::SocketAddress address;
  std::string helo;
  std::shared_ptr<const Security> security;  // null: neither TLS nor AUTH
  std::string server;
  Opening opening;
  ClientPtr told_client;  // what the server knows of Opening::client
  Timeouts timeouts;
  ConnectionHandler* handler;  // null: no more events
  std::unique_ptr<net::Stream> stream;
  smtp::ClientSession session;
  mail::Reply banner, ehlo_reply;
  std::deque<bool> sent;        // for each command outstanding in the session: tell the handler?
  std::deque<Command> waiting;  // not sent yet
  ContentSource* content = nullptr;
  Deadline deadline;
  std::size_t unsent_before = 0;
  std::uint32_t transactions = 0;
  bool socketless = false;  // there was no socket to be had: out of descriptors or memory
  Stage greeting = Stage::kBanner;  // what is waited for until `greeted`
  bool secured = false, in_clear = false, fell_back = false, logged_in = false;  // in_clear: TLS has been tried
  bool connected = false, greeted = false, spent = false, timed_out = false;
  bool in_transaction = false, mail_answered = false;
  bool content_begun = false, dot_written = false, dot_sent = false;
};

}  // namespace holdfast::upstream
