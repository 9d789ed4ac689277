// What the server session says in its own words.
#include <iterator>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "common/smtp/server_session.h"

namespace holdfast::smtp {

void ServerSession::write_positive(Verb verb) {
  switch (verb) {
    case Verb::kBanner:
    case Verb::kXclient:
      fmt::format_to(std::back_inserter(output_), "220 {} ESMTP Holdfast\r\n", options_.hostname);
      return;
    case Verb::kHelo: fmt::format_to(std::back_inserter(output_), "250 {}\r\n", options_.hostname); return;
    case Verb::kEhlo: write_ehlo(); return;
    case Verb::kStartTls: output_ += "220 2.0.0 Ready to start TLS\r\n"; return;
    case Verb::kMail: output_ += "250 2.1.0 Ok\r\n"; return;
    case Verb::kRcpt: output_ += "250 2.1.5 Ok\r\n"; return;
    case Verb::kData: output_ += "354 End data with <CR><LF>.<CR><LF>\r\n"; return;
    case Verb::kBdat: return;
    case Verb::kDot: output_ += "250 2.0.0 Ok\r\n"; return;
    default: base::panic("a verb that awaits no answer");
  }
}

void ServerSession::write_ehlo() {
  const auto line = [this](std::string_view text) { fmt::format_to(std::back_inserter(output_), "250-{}\r\n", text); };
  line(options_.hostname);
  if (options_.pipelining) line("PIPELINING");
  fmt::format_to(std::back_inserter(output_), "250-SIZE {}\r\n", options_.size_limit);
  if (options_.eightbitmime) line("8BITMIME");
  if (options_.smtputf8) line("SMTPUTF8");
  if (options_.dsn) line("DSN");
  if (options_.chunking) line("CHUNKING");
  if (options_.starttls && !secured_) line("STARTTLS");
  if (options_.xclient) fmt::format_to(std::back_inserter(output_), "250-XCLIENT {}\r\n", kXclientNames);
  if (options_.limits) fmt::format_to(std::back_inserter(output_), "250-LIMITS RCPTMAX={}\r\n", options_.max_recipients);
  for (const auto& extra : options_.extra_ehlo) line(extra);
  output_ += "250 ENHANCEDSTATUSCODES\r\n";
}

}  // namespace holdfast::smtp
