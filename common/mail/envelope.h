// What is known of a message besides its content. It is written once, into the spool's record, and read
// by whoever delivers the message, maybe days later, so that the destination can be told whom the mail
// came from. What changes with time (state, attempts, outcomes) is in the index, not here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/mail/address.h"

namespace holdfast::mail {

enum class Body : std::uint8_t { k7Bit, k8BitMime };

struct Recipient {
  std::string address;   // as written in RCPT
  std::string orcpt;     // RFC 3461 parameters, empty when not given
  std::string notify;
  bool known = true;     // learnt or configured when accepted (a 5xx to such a one is suspect)

  template <class V>
  void fields(V&& v) { v(address, orcpt, notify, known); }
  bool operator==(const Recipient&) const = default;
};

struct Envelope {
  std::string sender;                 // as written in MAIL; empty for <>
  std::vector<Recipient> recipients;  // never empty
  std::string destination;            // the destination's name when the mail was accepted
  std::int64_t arrival_ms = 0;        // wall clock, when the message was complete
  std::string client_address;         // "192.0.2.10" or "2001:db8::1"
  std::uint16_t client_port = 0;
  std::string client_name;            // PTR; empty when not known
  std::string helo;
  std::string protocol;               // "SMTP", "ESMTP", "ESMTPS", …
  std::string tls;                    // version and cipher, or empty
  bool smtputf8 = false;
  Body body = Body::k7Bit;
  std::string ret;                    // RFC 3461, empty when not given
  std::string envid;
  std::string verdict;                // the filters' word; empty when none ran
  bool unfiltered = false;            // skipped the filters in an emergency
  std::string message_id;             // of the header, for traces; empty when there is none
  std::string hold;                   // why its life begins held (an import's wish); empty: it does not
  std::int64_t expires_ms = 0;        // given up then; 0: as its destination's schedule says
  std::uint64_t report_of = 0;        // a report of ours: the queue id of the message it speaks of
  std::string listener;               // of unfiltered mail: the address the client came to, "192.0.2.1:25", or empty

  template <class V>
  void fields(V&& v) {
    v(sender, recipients, destination, arrival_ms, client_address, client_port, client_name, helo, protocol, tls,
      smtputf8, body, ret, envid, verdict, unfiltered, message_id, hold, expires_ms, report_of, listener);
  }
  bool operator==(const Envelope&) const = default;
};

}  // namespace holdfast::mail
