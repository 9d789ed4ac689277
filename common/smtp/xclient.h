// XCLIENT (Postfix' XCLIENT_README; no RFC): a relay in front tells us, or we tell a server behind, who the real
// client is. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "common/mail/reply.h"

namespace holdfast::smtp {

inline constexpr std::string_view kXclientNames = "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

// Each as it is meant: xtext decoded, without the "IPV6:" of an address. Not there: not told; "": the other side says
// that it does not know ([UNAVAILABLE], [TEMPUNAVAIL]).
struct XclientAttributes {
  std::optional<std::string> name, addr, port, proto, helo, login, destaddr, destport;
};

// The argument of the command: attributes NAME=VALUE with blanks between, none of them twice, NAME a host's name,
// PROTO "SMTP" or "ESMTP" in any case (given in capitals), ports up to 65535, addresses made of the characters that addresses have (whoever uses one parses it), texts
// of at most 255 characters without control characters. Else the 501.
std::expected<XclientAttributes, mail::Reply> parse_xclient(std::string_view argument);

// What goes to a server that has said which attributes it takes ("NAME ADDR …"): the argument of XCLIENT; empty when
// it takes none of ours. A name or HELO that is not told is [UNAVAILABLE].
std::string xclient_argument(const XclientAttributes& attributes, std::string_view offered_names);

}  // namespace holdfast::smtp
