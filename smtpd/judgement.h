// What the client is told, as a pure function of what is known: the tables of design.md section 3 ("MAIL
// and RCPT", "The end of DATA"). No I/O, no clock.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/mail/address.h"
#include "common/mail/reply.h"
#include "common/stats/destinations.h"
#include "common/storage/directory.h"

namespace holdfast::smtpd {

using storage::Standing;

// What became of something asked of the destination.
struct Word {
  enum class From { kMail, kRcpt, kData, kDot, kNobody };
  From from = From::kNobody;
  mail::Reply reply;                // code 0 for kNobody
  std::string reason;               // kNobody: why, for logs
  std::string relay = "none";       // "10.0.0.5[10.0.0.5]:25"
  bool possible_duplicate = false;  // lost after the dot, before an answer to it
  // By LMTP, where some of the recipients have the message and others not: which, in the order of their acceptance.
  // `reply` is the answer for the first who has it.
  std::vector<bool> taken{};
  bool unresolved = false;  // kNobody: the servers could not be found (4.4.3)
  bool dsn = false;                 // the server offers DSN, and tells the sender what he asked to be told
};

// The answers to the dot by LMTP, one a recipient, as one Word (decision 12). All agree: the first's own words. Nobody
// has the message: the first 4xx, since it is kept for all. Some have it: `taken`, of `recipients` in all; those for
// whom no answer came have not. No answers at all: kNobody.
Word sum_up(const std::vector<mail::Reply>& answers, std::size_t recipients);

// The same as the metrics have it.
stats::Answer answer_of(const Word& end);

// The answer to RCPT, and what it means for the transaction.
struct RcptVerdict {
  enum class Outcome {
    kLive,     // accepted by the destination: the transaction is live
    kKept,     // accepted by us: the transaction is kept
    kRefused,  // nothing changes
  };
  Outcome outcome = Outcome::kRefused;
  mail::Reply reply;
};

// "user%other.test@ours.test", "other.test!user@ours.test", "\"user@other.test\"@ours.test": a local part that asks the
// server behind us to relay on. It trusts us, and might. (Postfix: allow_untrusted_routing = no.)
bool names_another_host(const mail::Address& recipient);

// Nobody is asked: the destination is down or paused, or the transaction is kept.
RcptVerdict judge_without_destination(Standing standing, std::string_view recipient);

// The destination was asked. `live`: a recipient of this transaction was accepted by it before.
RcptVerdict judge_rcpt(const Word& word, Standing standing, bool live, std::string_view recipient,
                       const std::vector<std::string>& pass_on_4xx);

// The answer to the dot of a live transaction.
struct EndVerdict {
  bool keep = false;  // spool it; else `reply` is the answer
  mail::Reply reply;
};
// `keepable`: each recipient was accepted just now by a destination that does not accept anything, or is
// configured as local.
EndVerdict judge_end(const Word& word, bool keepable, const std::vector<std::string>& pass_on_4xx);

}  // namespace holdfast::smtpd
