#include "common/smtp/server_session.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::smtp {
namespace {

using mail::Reply;

// With `utf8`, bytes over 127 are none: the address that they stand in is looked at later.
bool has_strange_bytes(std::string_view line, bool utf8) {
  return std::any_of(line.begin(), line.end(), [utf8](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 32 || byte == 127 || (byte > 127 && !utf8);
  });
}

constexpr const char* kNoMessage = "Too many commands without a message";

bool takes_parameters(Verb verb) { return verb == Verb::kMail || verb == Verb::kRcpt || verb == Verb::kXclient; }

bool takes_utf8(Verb verb) { return verb == Verb::kMail || verb == Verb::kRcpt || verb == Verb::kVrfy; }

bool takes_no_argument(Verb verb) {
  return verb == Verb::kData || verb == Verb::kRset || verb == Verb::kQuit || verb == Verb::kStartTls;
}

// RFC 3207 section 4.
bool needs_no_tls(Verb verb) {
  return verb == Verb::kNoop || verb == Verb::kEhlo || verb == Verb::kHelo || verb == Verb::kStartTls ||
         verb == Verb::kQuit || verb == Verb::kRset || verb == Verb::kXclient;
}

}  // namespace

ServerSession::ServerSession(ServerOptions options)
    : options_(std::move(options)), reader_(kMaxCommandWithParameters, LineReader::Mode::kStrict) {}

void ServerSession::receive(std::string_view bytes) {
  if (!closing() && state_ != State::kHandshake) reader_.append(bytes);
}

void ServerSession::tls_started() {
  base::expect(state_ == State::kHandshake, "TLS without STARTTLS");
  enter(State::kStart);
  reader_.clear();
  secured_ = true;
  options_.starttls = false;
}

void ServerSession::enter(State next) {
  if ((state_ == State::kContent || state_ == State::kChunk) && next == State::kGreeted) reader_.shrink();
  if (state_ == State::kRcpt && next == State::kChunk) {
    encoder_.emplace(options_.bare_newline);
    content_refused_ = false;
  }
  state_ = next;
  if (next == State::kContent) {
    decoder_.emplace(options_.bare_newline);
    content_refused_ = false;
  }
  if (next == State::kGreeted || next == State::kMail) accepted_ = rcpts_ = 0;
  if (next == State::kStart) {
    helo_.clear();
    mail_refused_ = esmtp_ = false;
  }
}

void ServerSession::enter_by(Verb verb) {
  const auto next = next_state(state_, verb);
  base::expect(next.has_value(), "an SMTP event out of sequence");
  enter(*next);
}

std::optional<ServerEvent> ServerSession::next_event() {
  if (awaited_) return std::nullopt;
  if (held_) return take_held();
  if (closing()) return std::nullopt;
  if (!connect_given_) {
    connect_given_ = true;
    return await(Verb::kBanner, event::Connect{});
  }
  while (!closing() && state_ != State::kHandshake) {
    if (swallow_ > 0 && !swallow()) return std::nullopt;
    if (state_ == State::kContent) return on_content();
    if (state_ == State::kChunk) {
      if (auto event = on_chunk()) return event;
      if (state_ == State::kChunk) return std::nullopt;
    }
    const auto line = reader_.next();
    if (!line) return std::nullopt;
    if (auto event = on_line(*line)) return event;
  }
  return std::nullopt;
}

ServerEvent ServerSession::await(Verb verb, ServerEvent event) {
  awaited_ = verb;
  return event;
}

ServerSession::Maybe ServerSession::take_held() {
  ServerEvent event = *std::exchange(held_, std::nullopt);
  if (const auto* helo = std::get_if<event::Helo>(&event)) awaited_ = helo->esmtp ? Verb::kEhlo : Verb::kHelo;
  return event;
}

ServerSession::Maybe ServerSession::on_line(const LineReader::Line& line) {
  if (const char* why = exhausted(line.text)) {
    auto event = refuse(parse_command(line.text).verb, line.text, Reply::make(421, "4.7.0", why));
    enter(State::kClosed);
    return event;
  }
  switch (line.status) {
    case LineReader::Status::kLine: return on_command(line.text);
    case LineReader::Status::kTooLong:
      return refuse(parse_command(line.text).verb, line.text, Reply::make(500, "5.5.2", "Line too long"));
    case LineReader::Status::kBareNewline: break;
  }
  return refuse(Verb::kUnknown, line.text, Reply::make(500, "5.5.2", "Bare CR or LF: lines end in CRLF"));
}

// The client has made too many errors to be heard: it may only quit, or send the message whose recipients it has.
const char* ServerSession::exhausted(std::string_view line) const {
  const bool errors = options_.max_errors > 0 && errors_ >= options_.max_errors;
  const bool junk = options_.max_junk > 0 && junk_ >= options_.max_junk;
  const bool refused = options_.max_junk > 0 && refused_mails_ >= options_.max_junk;
  if (!errors && !junk && !refused) return nullptr;
  const Verb verb = parse_command(line).verb;
  if (verb == Verb::kQuit || ((verb == Verb::kData || verb == Verb::kBdat) && accepted_ > 0)) return nullptr;
  if (errors) return "Too many errors";
  return junk && is_junk(verb) ? kNoMessage : refused && verb == Verb::kMail ? kNoMessage : nullptr;
}

// Commands that bring no message nearer.
bool ServerSession::is_junk(Verb verb) const {
  if (verb == Verb::kHelo || verb == Verb::kEhlo) return state_ != State::kStart;
  return verb == Verb::kNoop || verb == Verb::kRset || verb == Verb::kVrfy || verb == Verb::kHelp;
}

Extensions ServerSession::extensions() const { return {options_.smtputf8, options_.dsn}; }

// RFC 2920 section 3.1: what changes the session, or may be refused before content, is the last in its group; and
// nobody sends groups who was not told that he may.
bool ServerSession::too_early(Verb verb) const {
  if (!options_.strict_pipelining || reader_.buffered() == 0) return false;
  if (verb == Verb::kBdat || verb == Verb::kStartTls || verb == Verb::kForeign) return false;  // their own rules
  return !esmtp_ || verb == Verb::kHelo || verb == Verb::kEhlo || verb == Verb::kData || verb == Verb::kXclient;
}

// Check: what can be said about the command without anybody else. Then proceed().
ServerSession::Maybe ServerSession::on_command(std::string_view line) {
  const Command command = parse_command(line);
  if (too_early(command.verb)) {
    auto event = refuse(command.verb, line, Reply::make(554, "5.5.0", "Commands came before they may"));
    enter(State::kClosed);
    return event;
  }
  if (has_strange_bytes(line, options_.smtputf8 && takes_utf8(command.verb))) {
    return refuse(command.verb, line, Reply::make(501, "5.5.2", "Bytes outside printable ASCII"));
  }
  if (state_ == State::kRefused && command.verb != Verb::kQuit) return out_of_sequence(command.verb, line);
  if (line.size() > kMaxCommand && !takes_parameters(command.verb)) {
    return refuse(command.verb, line, Reply::make(500, "5.5.2", "Line too long"));
  }
  if (auto reply = unknown(command)) {
    const bool foreign = command.verb == Verb::kForeign;
    auto event = refuse(command.verb, line, *std::move(reply));
    if (foreign) enter(State::kClosed);
    return event;
  }
  if (takes_no_argument(command.verb) && !command.argument.empty()) {
    return refuse(command.verb, line,
                  Reply::make(501, "5.5.4", fmt::format("{} takes no argument", to_text(command.verb))));
  }
  if (options_.tls_required && !secured_ && !needs_no_tls(command.verb)) {
    return refuse(command.verb, line, Reply::make(530, "5.7.0", "Must issue a STARTTLS command first"));
  }
  if (!next_state(state_, command.verb)) return out_of_sequence(command.verb, line);
  if (is_junk(command.verb)) ++junk_;
  return proceed(command, line);
}

std::optional<Reply> ServerSession::unknown(const Command& command) const {
  switch (command.verb) {
    case Verb::kUnknown: return Reply::make(500, "5.5.2", "Command not recognised");
    case Verb::kNotImplemented: break;
    case Verb::kForeign: return Reply::make(421, "4.7.0", "This is an SMTP server");
    case Verb::kStartTls:
      if (secured_) return Reply::make(503, "5.5.1", "TLS is active already");
      if (options_.starttls) return std::nullopt;
      break;
    case Verb::kXclient:
      if (options_.xclient) return std::nullopt;
      break;
    case Verb::kBdat:
      if (!options_.chunking) break;
      if (!parse_bdat(command.argument)) return Reply::make(501, "5.5.4", "Syntax: BDAT octets [LAST]");
      return std::nullopt;
    default: return std::nullopt;
  }
  return Reply::make(502, "5.5.1", "Command not implemented");
}

ServerSession::Maybe ServerSession::out_of_sequence(Verb verb, std::string_view line) {
  // As many as one message may have had recipients: more are no pipelining.
  const bool follows_refusal = mail_refused_ && (verb == Verb::kRcpt || verb == Verb::kData || verb == Verb::kBdat) &&
                               followers_++ <= options_.max_recipients;
  if (state_ == State::kMail && (verb == Verb::kData || verb == Verb::kBdat) && rcpts_ > 0) {
    return refuse(verb, line, Reply::make(554, "5.5.1", "No valid recipients"), false);
  }
  const auto text = [&]() -> std::string_view {
    if (state_ == State::kRefused) return "Service is refused; QUIT is all that is left";
    if (state_ == State::kStart) return "Send HELO or EHLO first";
    if (verb == Verb::kStartTls || verb == Verb::kXclient) return "Not in the middle of a message";
    if (verb == Verb::kMail) return "MAIL was given already";
    if (state_ == State::kChunks) return "BDAT is under way";
    return verb == Verb::kRcpt || state_ == State::kGreeted ? "MAIL is needed first" : "RCPT is needed first";
  };
  return refuse(verb, line, Reply::make(503, "5.5.1", std::string(text())), !follows_refusal);
}

// The table has a row for this command in this state.
ServerSession::Maybe ServerSession::proceed(const Command& command, std::string_view line) {
  switch (command.verb) {
    case Verb::kHelo:
    case Verb::kEhlo: return on_helo(command, line);
    case Verb::kMail: return on_mail(command, line);
    case Verb::kRcpt: return on_rcpt(command, line);
    case Verb::kData: return await(Verb::kData, event::Data{});
    case Verb::kBdat: return on_bdat(command);
    case Verb::kRset: return on_rset();
    case Verb::kQuit: return on_quit();
    case Verb::kStartTls: return await(Verb::kStartTls, event::StartTls{});
    case Verb::kXclient: return on_xclient(command, line);
    case Verb::kVrfy:
      if (command.argument.empty()) return refuse(Verb::kVrfy, line, Reply::make(501, "5.5.4", "Syntax: VRFY address"));
      output_ += "252 2.1.5 Cannot VRFY user, but will take a message for it and try\r\n";
      return std::nullopt;
    case Verb::kHelp: output_ += "214 2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP\r\n"; return std::nullopt;
    default: break;  // NOOP
  }
  output_ += "250 2.0.0 Ok\r\n";
  return std::nullopt;
}

ServerSession::Maybe ServerSession::on_helo(const Command& command, std::string_view line) {
  const auto name = parse_helo(command.argument);
  if (!name) return refuse(command.verb, line, name.error());
  helo_ = *name;
  mail_refused_ = false;
  const event::Helo helo{helo_, command.verb == Verb::kEhlo};
  if (!in_transaction()) return await(command.verb, helo);
  enter(State::kGreeted);
  held_ = helo;
  return event::Reset{};
}

ServerSession::Maybe ServerSession::on_mail(const Command& command, std::string_view line) {
  mail_refused_ = true;  // until it is accepted
  followers_ = 0;
  auto arguments = parse_mail(command.argument, extensions());
  if (!arguments) return refuse(Verb::kMail, line, std::move(arguments.error()));
  if (options_.size_limit > 0 && arguments->size.value_or(0) > options_.size_limit) {
    ++refused_mails_;
    return refuse(Verb::kMail, line, too_big(), false);
  }
  smtputf8_ = arguments->smtputf8;
  return await(Verb::kMail, event::Mail{std::move(arguments->sender), arguments->size, arguments->body,
                                        arguments->smtputf8, arguments->ret, arguments->envid, arguments->parameters});
}

ServerSession::Maybe ServerSession::on_rcpt(const Command& command, std::string_view line) {
  ++rcpts_;
  auto arguments = parse_rcpt(command.argument, {.smtputf8 = smtputf8_, .dsn = options_.dsn});
  if (!arguments) return refuse(Verb::kRcpt, line, std::move(arguments.error()));
  if (accepted_ >= options_.max_recipients) {
    return refuse(Verb::kRcpt, line, Reply::make(452, "4.5.3", "Too many recipients"), overshoots());
  }
  return await(Verb::kRcpt, event::Rcpt{std::move(arguments->recipient), arguments->notify, arguments->orcpt});
}

ServerSession::Maybe ServerSession::on_xclient(const Command& command, std::string_view line) {
  auto attributes = parse_xclient(command.argument);
  if (!attributes) return refuse(Verb::kXclient, line, std::move(attributes.error()));
  xclient_ = *std::move(attributes);
  return await(Verb::kXclient, event::Xclient{&*xclient_});
}

ServerSession::Maybe ServerSession::on_rset() {
  const bool open = in_transaction();
  mail_refused_ = false;
  enter_by(Verb::kRset);
  output_ += "250 2.0.0 Ok\r\n";
  return open ? Maybe(event::Reset{}) : std::nullopt;
}

ServerSession::Maybe ServerSession::on_quit() {
  const bool open = in_transaction();
  enter_by(Verb::kQuit);
  fmt::format_to(std::back_inserter(output_), "221 2.0.0 {} closing connection\r\n", options_.hostname);
  if (!open) return event::Quit{};
  held_ = event::Quit{};
  return event::Reset{};
}

ServerSession::Maybe ServerSession::refuse(Verb verb, std::string_view line, Reply reply, bool counts) {
  errors_ += counts ? 1 : 0;
  if (base::istarts_with(line, "BDAT")) {
    refuse_chunk(verb, line, reply);
  } else {
    reply.append_wire(output_);
  }
  return event::Rejected{verb, line, std::move(reply)};
}

void ServerSession::accept() {
  base::expect(awaited_.has_value(), "accept() without an awaiting event");
  base::expect(*awaited_ != Verb::kDot || !content_refused_, "accept() of refused content");
  const Verb verb = *std::exchange(awaited_, std::nullopt);
  write_positive(verb);
  answered(verb);
}

void ServerSession::reply(const Reply& reply, bool client_error) {
  base::expect(awaited_.has_value(), "reply() without an awaiting event");
  const Verb verb = *awaited_;
  const bool positive = verb == Verb::kData ? reply.code == 354 : reply.positive();
  base::expect(positive || reply.temporary() || reply.permanent(), "a reply that does not fit its command");
  base::expect(!positive || (verb != Verb::kEhlo && verb != Verb::kStartTls && verb != Verb::kBdat), "it is answered by accept()");
  base::expect(!positive || verb != Verb::kDot || !content_refused_, "a positive reply to refused content");
  awaited_.reset();
  const bool of_a_command = verb != Verb::kBanner && verb != Verb::kStartTls && verb != Verb::kData &&
                            verb != Verb::kBdat && verb != Verb::kDot;
  if (client_error || (reply.permanent() && of_a_command) || (verb == Verb::kRcpt && !positive && overshoots())) ++errors_;
  if (verb == Verb::kMail && reply.temporary()) ++refused_mails_;
  if (verb == Verb::kBdat && reply.code != 421) return end_by_chunk(reply);
  reply.append_wire(output_);
  if (reply.code == 421) return enter(State::kClosed);
  if (positive) return answered(verb);
  if (verb == Verb::kBanner) enter(State::kRefused);
  if (verb == Verb::kDot) enter_by(Verb::kDot);
}

void ServerSession::close(const Reply& reply) {
  if (closing()) return;
  awaited_.reset();
  held_.reset();
  connect_given_ = true;
  reply.append_wire(output_);
  enter(State::kClosed);
}

// The awaited command was answered positively.
void ServerSession::answered(Verb verb) {
  if (verb == Verb::kMail) mail_refused_ = false;
  if (verb == Verb::kHelo || verb == Verb::kEhlo) esmtp_ = verb == Verb::kEhlo;
  if (verb == Verb::kDot) errors_ = junk_ = refused_mails_ = 0;
  if (verb == Verb::kStartTls) reader_.clear();
  if (verb == Verb::kRcpt) ++accepted_;
  enter_by(verb);
}

}  // namespace holdfast::smtp
