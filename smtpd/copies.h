// Emergency copies (`while_down.copy`, decision 27): who gets one of a message that is kept while its destination is down. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/mail/envelope.h"

namespace holdfast::smtpd {

// One for each other mailbox, whoever of the recipients share it; none of a bounce or report (from <>), of what a filter wants
// held, and for a mailbox that gets the message anyway. A copy comes from the recipient it is made for, as the configuration spells
// him (what a client adds to an address is never our envelope sender), and no word about it goes to anybody (NOTIFY=NEVER). It is `unfiltered` only where it goes to a domain of ours: elsewhere no filter is asked later.
std::vector<mail::Envelope> copies_of(const config::Config& config, const mail::Envelope& original);

// What stands before the content of a copy: by it we know a copy that comes back (mail::HeaderGate::copy()).
std::string copy_mark(const std::string& original_id);

}  // namespace holdfast::smtpd
