// Delivery reports: what a sender gets when mail cannot be delivered, or is late (RFC 3464, RFC 3462; where an
// address or header needs it RFC 6533). Pure: facts in, a message in wire format out.
//
// A report goes from the null sender, says of itself that a machine wrote it (RFC 3834), and carries a text for
// a person, the fields for a program, and the original's header or all of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/mail/queue_id.h"

namespace holdfast::mail {

enum class ReportKind : std::uint8_t {
  kFailed,
  kDelayed,
  kRelayed,    // handed to a server that will not report what becomes of it (RFC 3461 section 5.2.2)
  kDelivered,  // handed to the mailbox itself, by LMTP (section 5.2.3)
};
// Of good news: wanted only by who asks for it.
constexpr bool is_success(ReportKind kind) { return kind == ReportKind::kRelayed || kind == ReportKind::kDelivered; }

struct ReportedRecipient {
  std::string address;         // as written in RCPT
  std::string orcpt;           // "rfc822;…" in xtext, as given in RCPT; empty: not given
  std::string status;          // "5.1.1" (RFC 3463); another class than the report's kind is corrected
  std::string reply;           // the last one, "550 5.1.1 No such user", or our own words
  std::string remote;          // the server that said it, "10.0.0.5[10.0.0.5]:25"; empty or "none": nobody
  bool expired = false;        // given up because of its age
};

struct ReportFacts {
  ReportKind kind = ReportKind::kFailed;
  QueueId id;                  // the report's own
  QueueId original;            // the message it speaks of
  std::string hostname;        // ours
  std::int64_t now_ms = 0;
  std::int64_t arrival_ms = 0;       // of the original
  std::int64_t last_attempt_ms = 0;  // 0: none was made
  std::int64_t retry_until_ms = 0;   // of a delayed one: given up then
  std::string sender;          // whom it goes to
  std::string envid;           // xtext, as given in MAIL; empty: not given
  std::string message_id;      // of the original, with its <>; empty: not known
  std::vector<ReportedRecipient> recipients;  // those it speaks of, never empty
  // The original in wire format: from its beginning, to the end of its header at least, or all of it if
  // `whole`. Empty when it cannot be read: the report goes out without that part.
  std::string content;
  bool whole = false;
};

struct Report {
  std::string content;         // wire format, with its own header
  std::string message_id;      // with its <>
  bool eight_bit = false;      // BODY=8BITMIME
  bool smtputf8 = false;       // an address in its header is not ASCII (RFC 6531)
};

Report build_report(const ReportFacts& facts);

// "a+2Bb" to "a+b" (RFC 3461 section 4). What is no xtext is kept as it is; control characters become '?'.
std::string decode_xtext(std::string_view text);

// NOTIFY= of RFC 3461: whether a report of this kind is wanted. Nothing given: failures yes, delays too, successes not.
bool wants_report(std::string_view notify, ReportKind kind);

}  // namespace holdfast::mail
