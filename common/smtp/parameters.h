// The parameters of MAIL and RCPT, both ways: the checks of what a client gives, and what goes on to a server.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/mail/destination_state.h"

namespace holdfast::smtp {

// RFC 3461 section 4: printable ASCII but "+" and "=", others as "+XX" in capitals.
bool is_xtext(std::string_view text);
// RFC 3461 section 4.3: "NEVER", or SUCCESS, FAILURE and DELAY with commas between.
bool is_notify(std::string_view value);
// RFC 3461 section 4.4, at most 100 characters of xtext.
bool is_envid(std::string_view value);
// RFC 3461 section 4.2, "type;xtext", at most 500 characters; of type "utf-8" as RFC 6533 section 3 has it, with raw
// UTF-8 only where `smtputf8` allows it.
bool is_orcpt(std::string_view value, bool smtputf8);

// What a message is, for MAIL.
struct MailParameters {
  std::uint64_t size = 0;  // 0: not told
  bool eightbit = false;
  bool smtputf8 = false;
  std::string_view ret{}, envid{};  // RFC 3461, as given; empty: not
};
// Those of them that the server offers, as they stand behind the path: "SIZE=1000 BODY=8BITMIME", or "".
std::string mail_parameters(const mail::Capabilities& offered, const MailParameters& message);
// The same for RCPT: "NOTIFY=NEVER ORCPT=rfc822;a@b.test", or "".
std::string rcpt_parameters(const mail::Capabilities& offered, std::string_view notify, std::string_view orcpt);

}  // namespace holdfast::smtp
