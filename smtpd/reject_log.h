// The line of a refusal (conventions.md), whoever's words it was refused with.
#pragma once

#include <string_view>

#include "common/mail/reply.h"
#include "smtpd/shared.h"

namespace holdfast::smtpd {

struct Refusal {
  std::string_view stage;  // "CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END-OF-MESSAGE"
  const mail::Reply& reply;
  std::string_view sender;
  std::string_view recipient;  // empty when it is not about one
  std::string_view action = "reject";
  mail::QueueId id{};          // where there is one already
};
void log_reject(const Client& client, const Refusal& refusal);

}  // namespace holdfast::smtpd
