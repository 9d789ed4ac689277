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
  return !reply.intermediate() || command == ClientCommand::kAuth;
}

bool is_greeting(ClientCommand command) {
  return command == ClientCommand::kEhlo || command == ClientCommand::kHelo || command == ClientCommand::kLhlo;
}

// Banner, EHLO and HELO carry no enhanced codes (RFC 2034 section 4).
bool may_be_enhanced(ClientCommand command) { return command != ClientCommand::kBanner && !is_greeting(command); }

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) { return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0U; };
    const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63];
  }
  return out;
}

std::string_view keyword_of(std::string_view line) { return line.substr(0, line.find_first_of(" =")); }

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
    case ClientCommand::kLhlo: return "LHLO";
    case ClientCommand::kStartTls: return "STARTTLS";
    case ClientCommand::kAuth: return "AUTH";
    case ClientCommand::kXclient: return "XCLIENT";
  }
  return "?";
}

ClientSession::ClientSession()
    : reader_(kMaxReplyLine, LineReader::Mode::kLenient), outstanding_{ClientCommand::kBanner} {}

void ClientSession::receive(std::string_view bytes) {
  if (!broken_ && !in_handshake_) reader_.append(bytes);
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
    if (*progress == ReplyParser::Progress::kMore) continue;
    if (auto event = on_reply(parser_.take())) return event;
  }
  return std::nullopt;
}

std::optional<ClientEvent> ClientSession::on_reply(mail::Reply reply) {
  if (outstanding() == 0 || early_) {
    split_enhanced(reply);
    return ClientEvent{ClientEvent::Kind::kUnasked, ClientCommand::kNoop, std::move(reply), {}};
  }
  const ClientCommand command = outstanding_[answered_];
  if (!fits(command, reply)) return broken_by(fmt::format("{} in answer to {}", reply.code, to_text(command)));
  if (command == ClientCommand::kAuth && reply.intermediate()) return on_challenge(reply);
  if (++answered_ == outstanding_.size()) {
    outstanding_.clear();
    answered_ = 0;
  }
  if (may_be_enhanced(command)) split_enhanced(reply);
  learn(command, reply);
  return ClientEvent{ClientEvent::Kind::kReply, command, std::move(reply), {}};
}

// What the answer changes here.
void ClientSession::learn(ClientCommand command, const mail::Reply& reply) {
  if (is_greeting(command) && reply.positive()) {
    const bool extended = command != ClientCommand::kHelo;
    capabilities_ = extended ? parse_capabilities(reply) : mail::Capabilities{};
    offers_ = extended ? parse_offers(reply) : Offers{};
  }
  if (command == ClientCommand::kMail) accepted_ = 0;
  if (command == ClientCommand::kRcpt && reply.positive()) ++accepted_;
  if (command == ClientCommand::kData && reply.intermediate()) in_content_ = true;
  if (command == ClientCommand::kAuth) challenge_answers_.clear();
  if ((command == ClientCommand::kStartTls || command == ClientCommand::kXclient) && reply.positive()) forget_server();
  if (command == ClientCommand::kStartTls && reply.positive()) {
    in_handshake_ = true;
    reader_.clear();
  }
}

void ClientSession::forget_server() {
  capabilities_ = {};
  offers_ = {};
}

// The next word of AUTH, or "*", which gives it up, if the server asks for more than there is (RFC 4954 section 4).
std::optional<ClientEvent> ClientSession::on_challenge(const mail::Reply&) {
  if (challenge_answers_.empty()) {
    output_ += "*\r\n";
    return std::nullopt;
  }
  output_ += challenge_answers_.back();
  output_ += "\r\n";
  challenge_answers_.pop_back();
  return std::nullopt;
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
void ClientSession::lhlo(std::string_view name) {
  lmtp_ = true;
  send(ClientCommand::kLhlo, "LHLO ", name);
}
void ClientSession::xclient(std::string_view argument) { send(ClientCommand::kXclient, "XCLIENT ", argument); }
void ClientSession::starttls() {
  base::expect(outstanding() == 0, "STARTTLS behind other commands");
  send(ClientCommand::kStartTls, "STARTTLS");
}
// Whatever lay here came in plain text, behind the 220.
void ClientSession::tls_started() {
  base::expect(outstanding() == 0, "TLS before the answer to STARTTLS");
  in_handshake_ = false;
  reader_.clear();
  parser_ = {};
  early_ = false;
  forget_server();
}
void ClientSession::auth_plain(std::string_view user, std::string_view password) {
  base::expect(outstanding() == 0, "AUTH behind other commands");
  std::string message(1, '\0');
  message.append(user).append(1, '\0').append(password);
  send(ClientCommand::kAuth, "AUTH PLAIN ", base64(message));
}
void ClientSession::auth_login(std::string_view user, std::string_view password) {
  base::expect(outstanding() == 0, "AUTH behind other commands");
  challenge_answers_ = {base64(password), base64(user)};
  send(ClientCommand::kAuth, "AUTH LOGIN");
}
void ClientSession::noop() { send(ClientCommand::kNoop, "NOOP"); }
void ClientSession::quit() { send(ClientCommand::kQuit, "QUIT"); }

void ClientSession::end_content() {
  base::expect(in_content_, "the end of content before 354");
  in_content_ = false;
  send(ClientCommand::kDot, ".");
  if (lmtp_ && accepted_ > 1) outstanding_.insert(outstanding_.end(), accepted_ - 1, ClientCommand::kDot);
}

mail::Capabilities parse_capabilities(const mail::Reply& ehlo) {
  mail::Capabilities caps;
  caps.esmtp = true;
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {  // the first line is the host's name
    const std::string_view line = base::trim(ehlo.lines[i]);
    const std::string_view keyword = keyword_of(line);
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

Offers parse_offers(const mail::Reply& ehlo) {
  Offers offers;
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i) {
    const std::string_view line = base::trim(ehlo.lines[i]);
    const std::string_view keyword = keyword_of(line);
    const std::string_view rest = line.substr(std::min(line.size(), keyword.size() + 1));
    if (base::iequals(keyword, "XCLIENT")) offers.xclient_names = rest;
    for (const std::string_view word : base::split(rest, ' ')) {
      if (base::iequals(keyword, "AUTH")) {  // "AUTH=LOGIN", too, is in use
        offers.auth_plain |= base::iequals(word, "PLAIN");
        offers.auth_login |= base::iequals(word, "LOGIN");
      }
      if (base::iequals(keyword, "LIMITS") && base::istarts_with(word, "RCPTMAX=")) {
        offers.rcpt_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(base::to_number(word.substr(8)).value_or(0), 1'000'000));
      }
    }
  }
  return offers;
}

}  // namespace holdfast::smtp
