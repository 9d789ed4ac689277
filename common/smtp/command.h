// The grammar of SMTP commands (RFC 5321 section 4.1). Pure: views into the line that was given.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "common/mail/reply.h"

namespace holdfast::smtp {

// RFC 5321 section 4.5.3.1.4, without CRLF; commands with parameters get more (RFC 5321 section 4.5.3.1.4 says
// that extensions may), enough for all that RFC 3461 and its like add.
inline constexpr std::size_t kMaxCommand = 510;
inline constexpr std::size_t kMaxCommandWithParameters = 2046;

enum class Verb : std::uint8_t {
  kHelo,
  kEhlo,
  kMail,
  kRcpt,
  kData,
  kRset,
  kNoop,
  kQuit,
  kVrfy,
  kHelp,
  kNotImplemented,  // known to RFCs, not offered by us: 502
  kForeign,         // another protocol's (an HTTP client sent here by somebody else's page)
  kUnknown,
  // Not commands, but they move the state as commands do.
  kBanner,
  kDot,
};
std::string_view to_text(Verb v);

struct Command {
  Verb verb = Verb::kUnknown;
  std::string_view argument;  // without the blanks around it
};
Command parse_command(std::string_view line);

// Parts that fail are answered with the Reply at once.
struct MailArguments {
  mail::Address sender;
  std::optional<std::uint64_t> size;    // RFC 1870
  mail::Body body = mail::Body::k7Bit;  // RFC 6152
  std::string_view parameters;          // as written
};
std::expected<MailArguments, mail::Reply> parse_mail(std::string_view argument);
std::expected<mail::Address, mail::Reply> parse_rcpt(std::string_view argument);
// The name of HELO and EHLO: one word of visible characters, at most 255.
std::expected<std::string_view, mail::Reply> parse_helo(std::string_view argument);

}  // namespace holdfast::smtp
