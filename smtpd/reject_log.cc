#include "smtpd/reject_log.h"

#include <string>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"

namespace holdfast::smtpd {

void log_reject(const Client& client, const Refusal& refusal) {
  stats::count(stats::refusal(refusal.reply.code, refusal.reply.enhanced));
  const std::string words = refusal.reply.text();
  const std::string code = refusal.reply.enhanced.empty()
                               ? fmt::format("{}", refusal.reply.code)
                               : fmt::format("{} {}", refusal.reply.code, refusal.reply.enhanced);
  std::string_view why(words);
  why.remove_prefix(std::min(why.size(), code.size() + 1));
  const std::string prefix = fmt::format("<{}>: ", refusal.recipient);
  if (why.starts_with(prefix)) why.remove_prefix(prefix.size());
  base::log().write(mail::events::reject({.stage = refusal.stage,
                                          .name = client.name,
                                          .address = client.address,
                                          .reply = code,
                                          .subject = refusal.recipient,
                                          .why = why,
                                          .sender = refusal.sender,
                                          .recipient = refusal.recipient,
                                          .protocol = client.protocol,
                                          .helo = client.helo,
                                          .action = refusal.action,
                                          .id = refusal.id}));
}

}  // namespace holdfast::smtpd
