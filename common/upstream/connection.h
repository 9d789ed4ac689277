// One SMTP or LMTP client session with a destination's server: connect, banner, EHLO (HELO where EHLO gets a
// 5xx), STARTTLS and AUTH as `security` wants them, XCLIENT before AUTH, then any number of transactions, one at a
// time. All of it belongs to the loop's thread.
//
// A transaction is mail(), one or more rcpt(), send(); each answer comes to the handler in that order.
// MAIL and the RCPTs asked for meanwhile go out together where the server offers PIPELINING, else each
// waits for the answer before it; the caller need not care. After the answer to the dot, after a refused
// MAIL or DATA (which is followed by a RSET of our own), or after reset(), the next mail() may follow.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/base/time.h"
#include "common/mail/destination_state.h"
#include "common/mail/reply.h"
#include "common/mail/stage.h"
#include "common/net/address.h"
#include "common/net/loop.h"
#include "common/upstream/manner.h"
#include "common/upstream/security.h"
#include "common/smtp/parameters.h"

namespace holdfast::upstream {

using base::Millis;

// How long each answer may take (RFC 5321 section 4.5.3.2 gives upper bounds; design.md section 3).
struct Timeouts {
  Millis connect{5'000};
  Millis session{20'000};   // from the start to the answer to EHLO or HELO, connecting included
  Millis command{20'000};   // MAIL, RCPT, RSET
  Millis data{120'000};     // DATA
  Millis content{180'000};  // between two writes of content that make progress
  Millis dot{300'000};
  bool operator==(const Timeouts&) const = default;
};

// The end of a connection that did not come by our own quit().
struct Failure {
  mail::Stage stage = mail::Stage::kNone;  // what was being waited for; kNone: nothing (idle); kLocal: the
                                           // fault is ours (no socket to be had, content that cannot be read)
  std::string reason;                      // "connect: connection refused", "banner: 421 too busy"
  mail::Reply reply;                       // what the server said: a refusal at banner or EHLO, an unasked
                                           // 421; code 0 when it said nothing
  bool mail_answered = false;              // MAIL of the present transaction had been answered 2xx
  bool dot_sent = false;                   // the final dot was handed to the kernel: maybe delivered
  bool timed_out = false;
};

// A message's content in wire format (CRLF lines, dot-stuffed, without the final dot), read piece by
// piece as the connection drains, so that it never lies in a buffer whole. Must outlive the transaction.
class ContentSource {
 public:
  virtual ~ContentSource() = default;
  // The next piece, empty at the end; valid until the next call. An error ends the connection before
  // the dot, stage kLocal: a cut message is never completed.
  virtual base::Result<std::string_view> next() = 0;
};

// Any of these may destroy the Connection.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  virtual void on_ready() {}  // EHLO or HELO was answered 2xx, and what security wants is done
  virtual void on_mail(const mail::Reply&) {}
  // One for each rcpt(), in their order. None follow a refused MAIL.
  virtual void on_rcpt(const mail::Reply&) {}
  virtual void on_data_refused(const mail::Reply&) {}  // DATA was answered 4xx or 5xx; no content was sent
  // The answer to the dot. By LMTP one for each recipient that was accepted, in their order: the transaction is over,
  // and in_transaction() false, with the last.
  virtual void on_sent(const mail::Reply&) {}
  virtual void on_reset(const mail::Reply&) {}
  // Once, and nothing follows. Not after quit() or close().
  virtual void on_failed(const Failure& failure) = 0;
};

// How a connection begins.
struct Opening {
  Manner manner{};
  ClientPtr client{};     // told to the server as `manner` has it
  bool in_clear = false;  // Tls::kMay is not tried: it failed a moment ago
};

class Connection {
 public:
  // Starts to connect; on_ready() or on_failed() follows, never inside the constructor. `helo` is the
  // name we give in EHLO, `server` the server's, for TLS and logs; without `security` there is neither TLS nor AUTH.
  Connection(net::Loop& loop, const net::SocketAddress& to, std::string helo, const Timeouts& timeouts,
             ConnectionHandler& handler, std::shared_ptr<const Security> security = nullptr, std::string server = {}, Opening opening = {});
  ~Connection();  // cuts the connection
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Events go to `handler` from now on.
  void set_handler(ConnectionHandler& handler);
  void set_timeouts(const Timeouts& timeouts);  // from the next command on

  // Parameters as they stand behind the path: "SIZE=1000 BODY=8BITMIME", or "". Only when ready() and
  // not in_transaction(). Sender and recipient are written as they are, between angle brackets.
  void mail(std::string_view sender, std::string_view parameters);
  void rcpt(std::string_view recipient, std::string_view parameters = {});  // after mail(), unless MAIL was refused
  // DATA, the content, the dot. All RCPTs must have been answered, at least one of them 2xx.
  void send(ContentSource& content);
  // Ends the transaction by RSET; answers still to come for it are swallowed. Before send() only.
  void reset();
  // XCLIENT for another client, when may_tell() and idle(): EHLO and what else makes it ready follow, then on_ready().
  void tell(ClientPtr client);
  // QUIT, and no more events; the answer is not waited for.
  void quit();
  void close();

  // Parameters for mail() and rcpt(), of those that the server offers (smtp/parameters.h). A message that needs
  // SMTPUTF8 must not be given to a server that has it not: look at capabilities() first.
  std::string mail_parameters(const smtp::MailParameters& message) const;
  std::string rcpt_parameters(std::string_view notify, std::string_view orcpt) const;

  bool secured() const;         // by TLS
  bool fell_back() const;       // the handshake failed on a first connection, and this is another, in the clear
  bool may_tell() const;        // XCLIENT is wanted and offered
  const ClientPtr& client() const;  // whom the server takes for its client; null: us
  bool ready() const;           // EHLO was answered and the connection stands
  bool in_transaction() const;  // mail() was called and the transaction has not ended
  bool sending() const;         // from send() to the answer it gets
  bool dot_sent() const;        // and not answered: whether the message was taken is not known
  bool idle() const;            // ready, no transaction, no answer outstanding
  // The server has said 421, or has answered out of step: no further transaction will go well.
  bool spent() const;
  std::uint32_t transactions() const;  // begun on this connection
  const mail::Capabilities& capabilities() const;
  const mail::Reply& banner() const;
  const mail::Reply& ehlo_reply() const;  // all its lines: for tokens that no Capabilities names
  const net::SocketAddress& address() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::upstream
