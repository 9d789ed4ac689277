// The closed set of lines about mail that daemons log, in Postfix's shape (conventions.md), so that
// pflogsumm and an admin's eyes work unchanged. Each function returns the text behind the tag; nothing
// else formats such a line. tests/unit/mail/events_test.cc holds the golden texts.
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
  std::string_view relay;   // "10.0.0.5[10.0.0.5]:25", "none"
  Delays delays{};
  std::string_view dsn;
  std::string_view answer;  // the destination's reply or our reason: shown in brackets
};

std::string client(QueueId id, std::string_view name, std::string_view address);  // name empty: "unknown"
std::string connect(std::string_view name, std::string_view address);
std::string disconnect(std::string_view name, std::string_view address);
std::string proxied_from(QueueId id, std::string_view sender, std::uint64_t size, std::size_t recipients);
std::string queued_from(QueueId id, std::string_view sender, std::uint64_t size, std::size_t recipients);  // "(queue active)"
std::string message_id(QueueId id, std::string_view message_id);  // "ID: message-id=<…>"
std::string sent(const Handover& h);
std::string deferred(const Handover& h);
std::string bounced(const Handover& h);   // status=bounced: a 5xx to a queued message's recipient
std::string removed(QueueId id);
std::string possible_duplicate(QueueId id, std::string_view relay);

struct Reject {
  std::string_view stage;    // "RCPT", "MAIL", "DATA", "END-OF-MESSAGE", "CONNECT"
  std::string_view name, address;
  std::string_view reply;    // "550 5.1.1"
  std::string_view subject;  // "<x@y>", or empty
  std::string_view why;      // "Recipient address rejected: User unknown"
  std::string_view sender, recipient, protocol, helo;
};
std::string reject(const Reject& r);       // "NOQUEUE: reject: …"

std::string destination_state(std::string_view name, std::string_view state, std::string_view was, int after,
                              std::string_view reason);

}  // namespace holdfast::mail::events
