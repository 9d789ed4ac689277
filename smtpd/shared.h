// What the sessions of one smtpd share.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "common/mail/queue_id.h"
#include "common/net/loop.h"
#include "common/net/tls.h"
#include "common/scanning/health.h"
#include "common/storage/space.h"
#include "smtpd/address_book.h"
#include "smtpd/admission.h"
#include "smtpd/client_limits.h"
#include "smtpd/client_names.h"
#include "smtpd/pools.h"
#include "smtpd/prober_link.h"
#include "smtpd/spool.h"

namespace holdfast::smtpd {

struct Shared {
  net::Loop& loop;
  AddressBook& book;
  Pools& pools;
  Spool& spool;
  storage::SpaceWatch& space;   // on the spool's file system
  ProberLink& prober;
  ClientLimits& limits;
  ClientNames& names;
  Admission& admission;
  std::string token;            // of this installation: shown in EHLO
  std::uint32_t writer = 0;
  std::uint64_t last_sequence = 0;
  std::shared_ptr<const net::TlsServer> tls{};  // null: STARTTLS is not offered

  scanning::Health filters{};

  mail::QueueId next_id() { return mail::QueueId::make(writer, ++last_sequence); }
};

class ClientFilters;

// Whom a session talks to.
struct Client {
  std::string address;   // "192.0.2.10"
  std::uint16_t port = 0;
  std::string literal;   // "[192.0.2.10]"
  std::string name;      // PTR; empty: not looked up
  std::string helo;
  const ClientLimits::Place* place = nullptr;  // among those of its network; never null in a session
  std::string protocol;  // "SMTP", "ESMTP" or "ESMTPS"
  std::string tls{};     // net::TlsFacts::text; empty: in the clear
  ClientFilters* filters = nullptr;  // the session's; null: none is configured
};

}  // namespace holdfast::smtpd
