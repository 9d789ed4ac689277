// The closed set of lines about mail that daemons log, in Postfix's shape (conventions.md), so that
// pflogsumm and an admin's eyes work unchanged. Each function returns the text behind the tag; nothing
// else formats such a line. tests/unit/mail/events_test.cc holds the golden texts.
//
// What pflogsumm 1.1.5 counts, and so which lines a message must have (read from its source):
// - received: one client() line a message, tagged smtpd. It counts for every such line, so it is logged
//   once, when the message is accepted (proxied: the destination's 2xx; kept: after the sync).
// - sender and size: one proxied_from() or queued_from() line, from any tag but smtpd (proxy, qmgr), after
//   client() if senders are to be summed up; a repetition for the same id is not counted again.
// - delivered, deferred, bounced: a sent(), deferred(), bounced() line a recipient and attempt, from any tag
//   but smtpd; bounced has no duplicate check. A proxied message: client() by smtpd, then proxied_from() and
//   a sent() for each recipient by proxy.
// - rejected: a reject() line, from any tag; a destination's 5xx in a live transaction is one of these,
//   not a bounced(), for we never had the message.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/mail/queue_id.h"

namespace holdfast::mail::events {

// Seconds of Postfix's delays=a/b/c/d: before the queue manager, in the queue, connecting, transmitting.
using Delays = std::array<double, 4>;

struct Handover {
  QueueId id;
  std::string_view recipient;
  std::string_view relay;  // "10.0.0.5[10.0.0.5]:25", "none"
  Delays delays{};
  std::string_view dsn;
  std::string_view answer;  // the destination's reply or our reason: shown in brackets
};

std::string client(QueueId id, std::string_view name, std::string_view address);  // name empty: "unknown"
std::string connect(std::string_view name, std::string_view address);
// `how`: "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"; `trust`: "Verified", "Untrusted".
std::string tls_from(std::string_view name, std::string_view address, std::string_view how);
std::string tls_to(std::string_view relay, std::string_view trust, std::string_view how);
std::string disconnect(std::string_view name, std::string_view address);
std::string proxied_from(QueueId id, std::string_view sender, std::uint64_t size, std::size_t recipients);
std::string queued_from(QueueId id, std::string_view sender, std::uint64_t size,
                        std::size_t recipients);                  // "(queue active)"
std::string message_id(QueueId id, std::string_view message_id);  // "ID: message-id=<…>"
std::string sent(const Handover& h);
std::string deferred(const Handover& h);
// A 5xx to a queued message's recipient, as deliver heard it; qmgr decides what it means, and logs bounced() or
// deferred() then, so that each attempt is counted once: pflogsumm passes over this one.
std::string refused(const Handover& h);
std::string bounced(const Handover& h);  // status=bounced
std::string removed(QueueId id);
std::string possible_duplicate(QueueId id, std::string_view relay);
std::string expired(QueueId id, std::string_view sender);                     // "…, status=expired, returned to sender"
std::string bounce_queued(QueueId id, QueueId bounce, std::string_view kind);  // "ID: sender non-delivery notification: ID2"
std::string frozen(QueueId id, std::string_view why);

struct Reject {
  std::string_view stage;          // "RCPT", "MAIL", "DATA", "END-OF-MESSAGE", "CONNECT"
  std::string_view name, address;  // of the client; name empty: "unknown"
  std::string_view reply;          // "550 5.1.1"
  std::string_view subject;        // what is refused, shown in <>: an address, a HELO name; or empty
  std::string_view why;            // "Recipient address rejected: User unknown"
  std::string_view sender, recipient, protocol, helo;
  std::string_view action = "reject";  // or "milter-reject": a filter's word
  QueueId id{};                        // of the message, if it has one
};
std::string reject(const Reject& r);  // "NOQUEUE: reject: …"

std::string destination_state(std::string_view name, std::string_view state, std::string_view was, int after,
                              std::string_view reason);

}  // namespace holdfast::mail::events
