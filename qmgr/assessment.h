// What the outcome of a job says about the destination, apart from what it says about the message
// (design.md section 3, Recovery). Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ipc/messages.h"
#include "common/storage/queue_index.h"

namespace holdfast::qmgr {

enum class Sign : std::uint8_t {
  kAccepted,        // at least one recipient's mail was taken
  kTempFailed,      // 4xx: it lives, but does not want this now
  kTempRecipient,   // 4xx at RCPT that speak of mailboxes only (4.2.x): says nothing about the destination
  kRefusedOther,    // 5xx, but to no recipient that is known to be valid now
  kRefusedKnown,    // 5xx to a known recipient, at RCPT or after
  kRefusedSender,   // 5xx at MAIL
  kRefusedSession,  // 5xx at banner, EHLO, STARTTLS, AUTH
  kClosing,         // 421
  kNoSession,       // no connection, or one that failed before MAIL was answered
  kLost,            // the connection was lost while this message was handed over
  kOwnVerdict,      // a final refusal by ourselves (no such server, an extension that it lacks): the message's affair
  kDamaged,         // our record of it is, or cannot be read, or filters do not let it go: nothing was tried
  kNone,            // a failure of our own: nothing was tried
};

struct Assessment {
  Sign sign = Sign::kNone;
  std::string reason;                       // one line for the admin: the reply, or our own words
  std::string sender;
  std::vector<std::string> refused;         // addresses that were known when their mail was accepted
  std::vector<std::string> refused_known;   // those of them that still are
  bool after_rcpt = false;                  // a 5xx came after RCPT was accepted: it is about the content
};

// `recipients` are the message's, by index; `still_known` says whether an address is known to be valid now.
Assessment assess(const ipc::Outcome& outcome, std::string_view sender,
                  const std::vector<storage::RecipientState>& recipients,
                  const std::function<bool(std::string_view address)>& still_known);

}  // namespace holdfast::qmgr
