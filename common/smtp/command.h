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
  kStartTls,
  kXclient,
  kBdat,
  kNotImplemented,  // known to RFCs, not offered by us: 502
  kForeign,         // another protocol's (an HTTP client sent here by somebody else's page)
  kUnknown,
  // Not commands, but they move the state as commands do.
  kBanner,
  kDot,
  kChunkEnd,
};
std::string_view to_text(Verb v);

struct Command {
  Verb verb = Verb::kUnknown;
  std::string_view argument;  // without the blanks around it
};
Command parse_command(std::string_view line);

// Which extensions a parameter may be of; one of another is answered 555 (RFC 5321 section 4.1.1.11).
struct Extensions {
  bool smtputf8 = false;  // MAIL: offered; RCPT: the transaction is one
  bool dsn = false;
};

// Parts that fail are answered with the Reply at once.
struct MailArguments {
  mail::Address sender;
  std::optional<std::uint64_t> size;    // RFC 1870
  mail::Body body = mail::Body::k7Bit;  // RFC 6152
  bool smtputf8 = false;                // RFC 6531
  std::string_view ret, envid;          // RFC 3461
  std::string_view parameters;          // as written
};
struct RcptArguments {
  mail::Address recipient;
  std::string_view notify, orcpt;  // RFC 3461
};
std::expected<MailArguments, mail::Reply> parse_mail(std::string_view argument, Extensions offered = {});
std::expected<RcptArguments, mail::Reply> parse_rcpt(std::string_view argument, Extensions offered = {});
// Of BDAT (RFC 3030 section 2): how many octets follow the line, and whether they are the last.
struct Chunk {
  std::uint64_t size = 0;
  bool last = false;
};
std::optional<Chunk> parse_bdat(std::string_view argument);
// The name of HELO and EHLO: one word of visible characters, at most 255.
std::expected<std::string_view, mail::Reply> parse_helo(std::string_view argument);

}  // namespace holdfast::smtp
