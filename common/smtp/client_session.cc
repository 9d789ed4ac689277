#include "common/smtp/client_session.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::smtp {
namespace {

constexpr std::size_t kMaxReplyLine = 4096;

bool has_control(std::string_view s) {
  return std::any_of(s.begin(), s.end(), [](char c) { return (c >= 0 && c < 32) || c == 127; });
}

// RFC 5321 section 4.2.1: an intermediate reply belongs to DATA, and DATA has no other positive one.
bool fits(ClientCommand command, const mail::Reply& reply) {
  if (command == ClientCommand::kData) return !reply.positive();
  return !reply.intermediate();
}

// Banner, EHLO and HELO carry no enhanced codes (RFC 2034 section 4).
bool may_be_enhanced(ClientCommand command) {
  return command != ClientCommand::kBanner && command != ClientCommand::kEhlo && command != ClientCommand::kHelo;
}

}  // namespace

std::string_view to_text(ClientCommand c) {
  switch (c) {
    case ClientCommand::kBanner: return "banner";
    case ClientCommand::kEhlo: return "EHLO";
    case ClientCommand::kHelo: return "HELO";
    case ClientCommand::kMail: return "MAIL";
    case ClientCommand::kRcpt: return "RCPT";
    case ClientCommand::kData: return "DATA";
    case ClientCommand::kDot: return "end of DATA";
    case ClientCommand::kRset: return "RSET";
    case ClientCommand::kNoop: return "NOOP";
    case ClientCommand::kQuit: return "QUIT";
  }
  return "?";
}

ClientSession::ClientSession()
    : reader_(kMaxReplyLine, LineReader::Mode::kLenient), outstanding_{ClientCommand::kBanner} {}

void ClientSession::receive(std::string_view bytes) {
  if (!broken_) reader_.append(bytes);
}

std::optional<ClientEvent> ClientSession::next_event() {
  while (!broken_) {
    const auto line = reader_.next();
    if (!line) {
      if (reader_.skipped() > ReplyParser::kMaxOctets) return broken_by("a reply line without end");
      return std::nullopt;
    }
    const auto progress = parser_.line(line->text, line->octets);
    if (!progress) return broken_by(progress.error().text);
    if (*progress == ReplyParser::Progress::kComplete) return on_reply(parser_.take());
  }
  return std::nullopt;
}

ClientEvent ClientSession::on_reply(mail::Reply reply) {
  if (outstanding() == 0 || early_) {
    split_enhanced(reply);
    return {ClientEvent::Kind::kUnasked, ClientCommand::kNoop, std::move(reply), {}};
  }
  const ClientCommand command = outstanding_[answered_];
  if (!fits(command, reply)) return broken_by(fmt::format("{} in answer to {}", reply.code, to_text(command)));
  if (++answered_ == outstanding_.size()) {
    outstanding_.clear();
    answered_ = 0;
  }
  if (may_be_enhanced(command)) split_enhanced(reply);
  if (command == ClientCommand::kEhlo && reply.positive()) capabilities_ = parse_capabilities(reply);
  if (command == ClientCommand::kHelo && reply.positive()) capabilities_ = {};
  if (command == ClientCommand::kData && reply.intermediate()) in_content_ = true;
  return {ClientEvent::Kind::kReply, command, std::move(reply), {}};
}

ClientEvent ClientSession::broken_by(std::string error) {
  broken_ = true;
  reader_.clear();
  const ClientCommand command = outstanding() > 0 ? outstanding_[answered_] : ClientCommand::kNoop;
  return {ClientEvent::Kind::kBroken, command, {}, std::move(error)};
}

void ClientSession::send(ClientCommand command, std::string_view verb, std::string_view argument) {
  base::expect(!in_content_, "a command in the middle of content");
  base::expect(!has_control(argument), "a control character in an SMTP command");
  // What is in hand now cannot be the answer to what the server has not seen: "354", and "250" right behind it.
  early_ |= outstanding() == 0 && (reader_.buffered() > 0 || reader_.skipped() > 0 || parser_.begun());
  output_ += verb;
  output_ += argument;
  output_ += "\r\n";
  outstanding_.push_back(command);
}

void ClientSession::send_path(ClientCommand command, std::string_view verb, std::string_view address,
                              std::string_view parameters) {
  base::expect(!has_control(parameters), "a control character in an SMTP parameter");
  std::string argument;
  argument.reserve(address.size() + parameters.size() + 3);
  argument += '<';
  argument += address;
  argument += '>';
  if (!parameters.empty()) {
    argument += ' ';
    argument += parameters;
  }
  send(command, verb, argument);
}

void ClientSession::ehlo(std::string_view name) { send(ClientCommand::kEhlo, "EHLO ", name); }
void ClientSession::helo(std::string_view name) { send(ClientCommand::kHelo, "HELO ", name); }
void ClientSession::mail(std::string_view address, std::string_view parameters) {
  send_path(ClientCommand::kMail, "MAIL FROM:", address, parameters);
}
void ClientSession::rcpt(std::string_view address, std::string_view parameters) {
  send_path(ClientCommand::kRcpt, "RCPT TO:", address, parameters);
}
void ClientSession::data() { send(ClientCommand::kData, "DATA"); }
void ClientSession::rset() { send(ClientCommand::kRset, "RSET"); }
void ClientSession::noop() { send(ClientCommand::kNoop, "NOOP"); }
void ClientSession::quit() { send(ClientCommand::kQuit, "QUIT"); }

void ClientSession::end_content() {
  base::expect(in_content_, "the end of content before 354");
  in_content_ = false;
  send(ClientCommand::kDot, ".");
}

mail::Capabilities parse_capabilities(const mail::Reply& ehlo) {
  mail::Capabilities caps;
  caps.esmtp = true;
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {  // the first line is the host's name
    const std::string_view line = base::trim(ehlo.lines[i]);
    const std::string_view keyword = line.substr(0, line.find_first_of(" ="));
    const auto is = [keyword](std::string_view name) { return base::iequals(keyword, name); };
    if (is("SIZE")) {
      caps.size = true;
      caps.size_limit = base::to_number(base::trim(line.substr(keyword.size()))).value_or(0);
    }
    caps.pipelining |= is("PIPELINING");
    caps.eightbitmime |= is("8BITMIME");
    caps.smtputf8 |= is("SMTPUTF8");
    caps.enhanced_status_codes |= is("ENHANCEDSTATUSCODES");
    caps.starttls |= is("STARTTLS");
    caps.chunking |= is("CHUNKING");
    caps.dsn |= is("DSN");
    caps.xclient |= is("XCLIENT");
  }
  return caps;
}

}  // namespace holdfast::smtp
