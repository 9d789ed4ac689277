// Our trace header (RFC 5321 section 4.4), and what is looked up in a message's header.
#pragma once

#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/mail/queue_id.h"

namespace holdfast::mail {

struct Received {
  std::string_view helo;         // as the client gave it; unsafe characters become '?'
  std::string_view client_name;  // PTR; empty: "unknown"
  std::string_view literal;      // "[192.0.2.1]", "[IPv6:2001:db8::1]": net::SocketAddress::literal()
  std::string_view tls{};        // "TLSv1.3 with cipher …", or empty
  std::string_view by;           // our hostname
  std::string_view protocol;     // "ESMTP", "SMTP" (RFC 3848)
  QueueId id;
  std::string_view recipient;  // for <…>; empty unless there is only one (it would tell of blind copies)
  bool utf8 = false;           // of a message that came with SMTPUTF8: its recipient may be shown as it is
  std::string_view date;       // base::rfc5322_date()
};
// The whole header with its CRLFs; no line over 998 octets, folded as usual.
std::string received_header(const Received& r);

// What a message's header says, found without copying. Looks at kMaxHeader octets at most, and only at
// the header block (up to the first empty line). Folded fields are understood.
inline constexpr std::size_t kMaxHeader = 64 << 10;
struct HeaderFacts {
  std::string message_id;  // with its <>; empty if there is none; cut at 998 octets; printable
  int received = 0;        // Received fields: the hops so far
};
HeaderFacts scan_header(std::string_view wire);

}  // namespace holdfast::mail
