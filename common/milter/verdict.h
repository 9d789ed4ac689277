// What a filter says of what it was told, and what it wants changed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/mail/reply.h"

namespace holdfast::milter {

struct Verdict {
  enum class Kind : std::uint8_t {
    kContinue,
    kAccept,    // at connect or HELO: the filter need not see this client any more; later: this message
    kDiscard,   // the client is told 250, and the message goes nowhere
    kRefuse,    // with `reply`: at RCPT the recipient, else the message; at connect or HELO all of the session's mail
    kShutdown,  // `reply` is a 421, and the connection is closed
  };
  Kind kind = Kind::kContinue;
  mail::Reply reply;  // kRefuse, kShutdown: 4xx or 5xx; else code 0
};

// A change to a message that has not been refused.
struct Edit {
  enum class Kind : std::uint8_t { kAddHeader, kInsertHeader, kChangeHeader, kChangeFrom, kAddRcpt, kDeleteRcpt, kQuarantine };
  Kind kind = Kind::kAddHeader;
  // kInsertHeader: how many fields stand before it, 0 is the top; kChangeHeader: which of those of its name, from 1.
  std::uint32_t index = 0;
  std::string name;        // of a header field
  std::string value;       // of the field (empty at kChangeHeader: it is deleted), an address without brackets, the reason
  std::string parameters;  // of MAIL or RCPT, as they are written there
  bool operator==(const Edit&) const = default;
};

struct Edits {
  std::vector<Edit> list;  // in the filter's order
  bool body_replaced = false;
  std::string body;  // the new one, plain (dots are single), line ends as the filter wrote them
  bool empty() const { return list.empty() && !body_replaced; }
};

// The reply in the text of a filter's own ("550 5.7.1 No", or lines "550-5.7.1 No\r\n550 5.7.1 more"); kData when it is
// none, or neither 4xx nor 5xx. Control characters become '?'; a doubled percent sign is one (Sendmail's rule).
base::Result<mail::Reply> parse_reply(std::string_view text);

}  // namespace holdfast::milter
