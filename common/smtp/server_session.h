// The server half of an SMTP session without I/O (design.md section 5): bytes in, events out, replies in,
// bytes out. An adapter on a connection does
//
//   session.receive(bytes);
//   while (auto event = session.next_event()) handle(*event);     // may call accept() or reply()
//   stream.write(session.output()); session.output().clear();
//   if (session.closing()) stream.close_when_sent();
//
// and the same without receive() after an answer that came later. The first event is Connect, there before
// any byte has come. Events that await an answer (awaits_answer()) hold all else back: pipelined bytes stay
// buffered, and next_event() gives nothing until accept() or reply() was called, once. The adapter stops
// reading while buffered() is over kMaxBuffered.
//
// The core answers by itself: NOOP, HELP, VRFY, RSET, QUIT, and all that is refused for syntax, sequence
// or a limit of ServerOptions; the adapter is told by Rejected, Reset and Quit, to which it answers nothing.
//
// Thread: any one. Nothing here blocks or looks at a clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/reply.h"
#include "common/smtp/chunk_encoder.h"
#include "common/smtp/command.h"
#include "common/smtp/data_decoder.h"
#include "common/smtp/line_reader.h"
#include "common/smtp/server_events.h"
#include "common/smtp/server_states.h"

namespace holdfast::smtp {

struct ServerOptions {
  std::string hostname;                    // in the banner, EHLO, HELO and QUIT
  std::uint64_t size_limit = 50ULL << 20;  // octets of content; 0: none
  std::size_t max_recipients = 1000;       // accepted ones a transaction; more get 452 4.5.3
  BareNewline bare_newline = BareNewline::kReject;
  int max_errors = 20;  // after so many since the last message the next command gets 421; 0: no limit
  int max_junk = 0;     // the same of NOOP, RSET, VRFY, HELP and repeated HELO, EHLO; and of MAIL refused otherwise
  // What EHLO offers, besides ENHANCEDSTATUSCODES. What is not offered is not understood: parameters get 555,
  // commands 502.
  bool pipelining = true;
  bool eightbitmime = true;
  bool smtputf8 = false;      // RFC 6531
  bool dsn = false;           // RFC 3461
  bool chunking = false;      // RFC 3030, without BINARYMIME
  bool starttls = false;      // RFC 3207
  bool tls_required = false;  // 530 to what is not allowed before STARTTLS (RFC 3207 section 4)
  bool xclient = false;       // to this client only
  // 554 5.5.0 and the end to who sends before he may: bytes behind HELO, EHLO, DATA or XCLIENT, or behind anything
  // before EHLO was answered (RFC 2920 section 3.1).
  bool strict_pipelining = false;
  bool limits = false;        // RFC 9422: tells max_recipients
  std::vector<std::string> extra_ehlo;  // more lines of the EHLO reply, each a keyword and its parameters
};

class ServerSession {
 public:
  static constexpr std::size_t kMaxBuffered = 32 << 10;  // of pipelined commands; content waits for nobody

  explicit ServerSession(ServerOptions options);

  void receive(std::string_view bytes);
  std::optional<ServerEvent> next_event();

  bool awaits_answer() const { return awaited_.has_value(); }
  // The positive answer to the awaited event, in our words: 220, 250 with the EHLO lines, 250, 354.
  void accept();
  // Any answer. 2xx (354 to Data) moves on. 421 closes the session. To Connect, a 4xx or 5xx leaves a session
  // in which all but QUIT gets 503 (RFC 5321 section 3.1). To Helo and Data a positive answer is accept()'s.
  // A refused Mail leaves no transaction; a refused Data leaves it open, unless the content was to come by BDAT: then
  // a Reset follows.
  // A 5xx to Helo, Mail or Rcpt counts as an error of the client (ServerOptions::max_errors), as the core's own
  // refusals do; a 4xx only if `client_error` is set, or to recipients beyond twice max_recipients.
  void reply(const mail::Reply& reply, bool client_error = false);
  // Ends the session from our side, also while an answer is awaited: a time-out (421 4.4.2), our own end
  // (421 4.3.2). No event follows.
  void close(const mail::Reply& reply);

  // Behind an accepted StartTls, when the handshake is done: the session is as behind the banner, and knows nothing
  // of what was said before (RFC 3207 section 4.2). Its options no longer offer STARTTLS.
  void tls_started();

  // What is to be sent; the adapter empties it.
  std::string& output() { return output_; }
  // The connection is to be closed when the output has gone: after QUIT, a 421, too many errors.
  bool closing() const { return state_ == State::kClosed; }
  std::size_t buffered() const { return reader_.buffered(); }

  State state() const { return state_; }
  bool secured() const { return secured_; }  // tls_started() was called
  int errors() const { return errors_; }     // of the client, since the last message
  bool in_transaction() const {
    return state_ == State::kMail || state_ == State::kRcpt || state_ == State::kContent || state_ == State::kChunk ||
           state_ == State::kChunks;
  }
  // May be changed while no answer is awaited; EHLO shows what is true when it is accepted.
  ServerOptions& options() { return options_; }

 private:
  using Maybe = std::optional<ServerEvent>;

  void enter(State next);
  void enter_by(Verb verb);
  Maybe on_line(const LineReader::Line& line);
  Maybe on_command(std::string_view line);
  Maybe proceed(const Command& command, std::string_view line);
  Maybe on_content();
  Maybe on_bdat(const Command& command);
  Maybe on_chunk();
  Maybe end_of_content(std::uint64_t octets, bool bare_newline);
  void refuse_chunk(Verb verb, std::string_view line, const mail::Reply& reply);
  void end_by_chunk(const mail::Reply& reply);
  bool swallow();
  bool too_early(Verb verb) const;
  mail::Reply too_big() const;
  Maybe on_helo(const Command& command, std::string_view line);
  Maybe on_mail(const Command& command, std::string_view line);
  Maybe on_rcpt(const Command& command, std::string_view line);
  Maybe on_rset();
  Maybe on_xclient(const Command& command, std::string_view line);
  Maybe on_quit();
  const char* exhausted(std::string_view line) const;
  bool is_junk(Verb verb) const;
  // Far more recipients than a message may have: nobody asks for so many who only wants to send one.
  bool overshoots() const { return rcpts_ > 2 * options_.max_recipients; }
  Extensions extensions() const;
  Maybe out_of_sequence(Verb verb, std::string_view line);
  std::optional<mail::Reply> unknown(const Command& command) const;
  Maybe refuse(Verb verb, std::string_view line, mail::Reply reply, bool counts = true);
  ServerEvent await(Verb verb, ServerEvent event);
  Maybe take_held();
  void answered(Verb verb);
  void write_positive(Verb verb);
  void write_ehlo();

  ServerOptions options_;
  LineReader reader_;
  std::string output_;
  State state_ = State::kConnect;
  std::optional<Verb> awaited_;
  std::optional<ServerEvent> held_;  // Helo or Quit behind a Reset
  std::optional<DataDecoder> decoder_;
  std::optional<ChunkEncoder> encoder_;
  std::uint64_t chunk_left_ = 0, chunk_size_ = 0;
  bool last_chunk_ = false, finished_ = false;
  std::uint64_t swallow_ = 0;  // octets of a refused BDAT that are still to come; `after_swallow_` is its answer
  std::string after_swallow_;
  std::string helo_;
  std::optional<XclientAttributes> xclient_;
  bool connect_given_ = false;
  bool mail_refused_ = false;  // so that what was pipelined behind it is no error of the client
  bool content_refused_ = false;
  bool secured_ = false;
  bool smtputf8_ = false;  // of the transaction
  bool esmtp_ = false;     // EHLO was answered last, not HELO
  std::size_t accepted_ = 0;
  std::size_t rcpts_ = 0;  // of the transaction, refused ones too
  std::size_t followers_ = 0;  // commands that were no error since they follow a refused MAIL
  int errors_ = 0, junk_ = 0, refused_mails_ = 0;
};

}  // namespace holdfast::smtp
