// What the server half of an SMTP session (server_session.h) tells its adapter.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "common/mail/reply.h"
#include "common/smtp/command.h"
#include "common/smtp/xclient.h"

namespace holdfast::smtp {

// Views in events are valid until the next call of receive() or next_event().
namespace event {

struct Connect {};  // answer: accept() sends the banner
struct Helo {       // accept() sends the EHLO lines
  std::string_view name;
  bool esmtp = false;
};
struct Mail {
  mail::Address sender;               // null() for <>
  std::optional<std::uint64_t> size;  // declared by SIZE=
  mail::Body body = mail::Body::k7Bit;
  bool smtputf8 = false;        // RFC 6531: addresses and header may be UTF-8
  std::string_view ret, envid;  // RFC 3461, checked, as written ("FULL" or "HDRS" in capitals); "" when not given
  std::string_view parameters;  // as written, "" when there are none
};
struct Rcpt {
  mail::Address recipient;         // domain empty: <postmaster>
  std::string_view notify, orcpt;  // RFC 3461, checked, as written; "" when not given
};
// Content is about to come. accept() sends 354; of content that comes by BDAT (RFC 3030) nothing is sent yet.
struct Data {};
struct Content {  // awaits no answer; wire format (data_decoder.h)
  std::string_view bytes;
};
// The dot has come. If `refusal` is set the content is too big or ambiguous and parts of it were not
// given out: answer reply(*refusal), or another 4xx or 5xx, never a 2xx. Whatever the answer is, the
// transaction is over when it is given, and no Reset follows.
struct ContentEnd {
  std::uint64_t octets = 0;  // of the content, without stuffing
  std::optional<mail::Reply> refusal;
};
// The open transaction (MAIL was accepted) has ended by RSET, HELO, EHLO, QUIT, or by a BDAT that failed; no answer. A session that
// ends otherwise (closing(), the connection is lost) ends its transaction without saying so.
struct Reset {};
struct Quit {};  // 221 is in the output, closing() is true; no answer
// The core has refused a command, its reply is in the output; no answer. For logs and counts.
struct Rejected {
  Verb verb = Verb::kUnknown;
  std::string_view line;  // as it came; see base::printable()
  mail::Reply reply;
};

// STARTTLS (RFC 3207). accept() sends 220, throws away all that came behind the command, and hears nothing more
// until tls_started(); a session whose handshake fails is to be closed. reply(): it stays as it was.
struct StartTls {};
// XCLIENT with attributes that are in order. accept() sends a new banner, and the session is as behind one.
struct Xclient {
  const XclientAttributes* attributes = nullptr;  // never null in an event
};

}  // namespace event

using ServerEvent = std::variant<event::Connect, event::Helo, event::Mail, event::Rcpt, event::Data, event::Content,
                                 event::ContentEnd, event::Reset, event::Quit, event::Rejected, event::StartTls,
                                 event::Xclient>;

}  // namespace holdfast::smtp
