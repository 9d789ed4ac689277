// The part of a delivery report that a person reads: who did not get the mail, why, since when, and what to
// do about it. Pure; delivery_report.h puts it into a message.
#pragma once

#include <string>
#include <string_view>

#include "common/mail/delivery_report.h"

namespace holdfast::mail {

// Lines that end in CRLF, none over 76 octets unless a single word is longer. UTF-8 only where an address is.
std::string report_text(const ReportFacts& facts);

// A server's words or another text from outside, for one line: control characters and what is not ASCII
// become '?', cut at `most` octets.
std::string clean_text(std::string_view text, std::size_t most = 900);
// The same for an address; UTF-8 that is well-formed stays.
std::string clean_address(std::string_view address);

bool is_ascii(std::string_view text);
// Well-formed UTF-8 (RFC 3629): no surrogates, nothing overlong.
bool is_utf8(std::string_view text);

// The server's name in a relay's text: "mx.d.test" of "mx.d.test[192.0.2.1]:25"; empty for "none".
std::string_view server_name(std::string_view relay);

}  // namespace holdfast::mail
