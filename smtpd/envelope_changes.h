// What filters want changed of a message's envelope, done (decision 20). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/filtering/edits.h"
#include "common/mail/envelope.h"

namespace holdfast::smtpd {

// Filters write addresses with or without brackets. What is none (RFC 5321, with `utf8` RFC 6531) is left out, as is an added
// recipient who does not belong to `destination`: one message has one, and a filter makes no open relay of us. Added ones get no
// reports; one who is there is not added again. Returns what was left out, for the log: printable.
std::vector<std::string> change_envelope(const filtering::EnvelopeChanges& changes, const config::Config& config,
                                         std::string_view destination, bool utf8, std::string& sender,
                                         std::vector<mail::Recipient>& recipients);

}  // namespace holdfast::smtpd
