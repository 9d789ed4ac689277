// Word to the sender of a live message that it was taken, where he has asked for it (RFC 3461 NOTIFY=SUCCESS) and the
// server offers no DSN, so that nobody else tells him (decision 15). It is mail of our own and goes by the queue.
#pragma once

#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/mail/envelope.h"
#include "common/mail/queue_id.h"
#include "smtpd/judgement.h"
#include "smtpd/shared.h"

namespace holdfast::smtpd {

struct Taken {
  Shared& shared;
  const config::Config& config;
  mail::QueueId id;
  const mail::Envelope& envelope;
  std::string_view header;  // of the message, its beginning at least
  const Word& word;         // the server's
};

// Whether anybody has asked for one.
bool wants_success_report(std::string_view sender, const std::vector<mail::Recipient>& recipients);

// Only if somebody has. The client is not kept waiting for it: it is a courtesy, and lost when
// the spool does not take it; the log says so.
void report_success(const Taken& taken);

}  // namespace holdfast::smtpd
