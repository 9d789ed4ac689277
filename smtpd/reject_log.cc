#include "smtpd/reject_log.h"

#include <string>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/mail/events.h"
#include "common/stats/counters.h"

namespace holdfast::smtpd {
namespace {

// What the words begin with, "<mx.example.org[192.0.2.1]>: ", taken away; words about no one in particular have none, and
// all others are about the recipient.
std::string_view take_subject(std::string_view& words, std::string_view recipient) {
  if (words.starts_with("Service unavailable;") || words.starts_with("<>: ")) return "";
  const auto end = words.find(">: ");
  if (!words.starts_with('<') || end == words.npos) return recipient;
  const auto subject = words.substr(1, end - 1);
  words.remove_prefix(end + 3);
  return subject;
}

}  // namespace

void log_reject(const Client& client, const Refusal& refusal) {
  stats::count(stats::refusal(refusal.reply.code, refusal.reply.enhanced));
  const std::string words = refusal.reply.text();
  const std::string code = refusal.reply.enhanced.empty()
                               ? fmt::format("{}", refusal.reply.code)
                               : fmt::format("{} {}", refusal.reply.code, refusal.reply.enhanced);
  std::string_view why(words);
  why.remove_prefix(std::min(why.size(), code.size() + 1));
  const std::string_view subject = take_subject(why, refusal.recipient);
  base::log().write(mail::events::reject({.stage = refusal.stage,
                                          .name = client.name,
                                          .address = client.address,
                                          .reply = code,
                                          .subject = subject,
                                          .why = why,
                                          .sender = refusal.sender,
                                          .recipient = refusal.recipient,
                                          .protocol = client.protocol,
                                          .helo = client.helo,
                                          .action = refusal.action,
                                          .id = refusal.id}));
}

}  // namespace holdfast::smtpd
