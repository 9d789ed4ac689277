// What a kept message asks of the server that is to take it. The server may have lost an extension since the
// message was accepted: then only we can say so, since what we would send is not the message any more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/error.h"
#include "common/ipc/messages.h"
#include "common/mail/destination_state.h"
#include "common/storage/segment_reader.h"

namespace holdfast::deliver {

// Why none of the recipients can be served, for good: RFC 3463 code and text.
struct Obstacle {
  std::string dsn, text;
};

struct Demands {
  bool smtputf8 = false;            // MAIL is to say SMTPUTF8
  std::optional<Obstacle> obstacle{};  // 5.6.7: it is needed and not offered; 5.3.4: bigger than the announced SIZE
};

// A message that was given with SMTPUTF8 goes without it where the server has it not, if sender, recipients and header
// are ASCII (RFC 6531 section 3.4: nothing in it then needs the extension). Only then is the record read, up to the
// end of the header; an error is one of reading it.
// `size` is of what is sent.
base::Result<Demands> demands_of(const storage::Record& record, std::uint64_t size, const ipc::Job& job,
                                 const mail::Capabilities& offered);

}  // namespace holdfast::deliver
