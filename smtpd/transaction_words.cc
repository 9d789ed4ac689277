// What is said of a live message that its destination has taken: to the log, and to a sender who asked for it.
#include <chrono>

#include "common/base/log.h"
#include "common/mail/events.h"
#include "smtpd/success_report.h"
#include "smtpd/transaction.h"

namespace holdfast::smtpd {
namespace {

double seconds(base::Mono from, base::Mono to) { return std::chrono::duration<double>(to - from).count(); }

}  // namespace

// Of all who are recipients now.
void Transaction::tell_of_success(const Word& word) const {
  if (word.dsn || !wants_success_report(sender_, recipients_)) return;
  report_success({.shared = shared_, .config = *config_, .id = id_, .envelope = envelope(), .header = header_, .word = word});
}

void Transaction::log_proxied(const Word& word) const {
  base::log().write(mail::events::client(id_, client_.name, client_.address));
  base::log().write(mail::events::message_id(id_, message_id_));
  base::log().write(mail::events::proxied_from(id_, sender_, octets_, recipients_.size()), "proxy");
  log_sent(word);
}

void Transaction::log_sent(const Word& word) const {
  const std::string answer = word.reply.text();
  const std::string dsn = word.reply.dsn();
  for (const auto& recipient : recipients_) {
    base::log().write(mail::events::sent({.id = id_,
                                          .recipient = recipient.address,
                                          .relay = word.relay,
                                          .delays = {seconds(began_, ended_), 0, 0, seconds(ended_, shared_.loop.now())},
                                          .dsn = dsn,
                                          .answer = answer}),
                      "proxy");
  }
}

}  // namespace holdfast::smtpd
