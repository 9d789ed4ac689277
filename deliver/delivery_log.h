// The log lines of an attempt: one a recipient, in Postfix's shape.
#pragma once

#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/ipc/messages.h"
#include "common/mail/events.h"

namespace holdfast::deliver {

// Of the ages at hand: `began` is when this deliver got the job.
mail::events::Delays delays_of(const ipc::Job& job, base::Wall began, base::Millis connecting,
                               base::Millis transmitting);

// A refused recipient is logged as `refused`, which nobody counts: whether it is the recipient's end or the
// destination's fault is for qmgr to judge, who logs it as bounced or deferred then.
std::vector<std::string> lines_of(const ipc::Job& job, const ipc::Outcome& outcome, const mail::events::Delays& delays);

}  // namespace holdfast::deliver
