// Connections to one destination, kept open between transactions, in one process and on its loop's
// thread. The pool chooses the server: in the configured order (by rank and chance: server_book.h), those leaving out that `usable` calls
// down (unless it calls all so) or that have just failed here; each server's addresses in turn. It never
// decides the destination's state: it reports what it saw.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/mail/stage.h"
#include "common/net/loop.h"
#include "common/net/resolver.h"
#include "common/upstream/connection.h"
#include "common/upstream/lease.h"
#include "common/upstream/manner.h"
#include "common/upstream/server_book.h"

namespace holdfast::upstream {

// What was learnt of a server: the daemons make an ipc::Fact of it.
struct Observation {
  std::string_view server{};   // ServerName::text
  std::string_view address{};  // "10.0.0.5:25"; empty when the name did not resolve
  bool ok = false;
  mail::Stage stage = mail::Stage::kNone;
  int code = 0;  // of the reply, 0: none
  std::string_view reason{};
  bool reused = false;  // on a reused connection before MAIL was answered
};

struct PoolOptions {
  std::vector<ServerName> servers;  // in order of preference; not empty, but with Pool::Find
  std::string helo;
  int limit = 1;  // connections at once, of any kind
  Timeouts timeouts;
  std::shared_ptr<const Security> security{};  // null: neither TLS nor AUTH
  Manner manner{};
  Millis idle{30'000};                    // an idle connection lives so long
  std::uint32_t max_transactions = 1000;  // of one connection
  Millis penalty{5'000};                  // a server that failed is passed over so long, if others stand
  Millis breaker{5'000};                  // having failed on all servers none is tried for so long; 0: no breaker
};

struct PoolCallbacks {
  // Not called down by what the directory says. Unset: all are usable.
  std::function<bool(const ServerName&)> usable;
  // Failures always; successes (MAIL answered 2xx) at most once a second a server.
  std::function<void(const Observation&)> report;
};

// Why acquire() gave no connection: of the last server tried.
struct AcquireFailure {
  enum class Why {
    kFailed,   // all servers were tried
    kBreaker,  // all failed less than `breaker` ago; the fields tell how
    kBusy,     // all connections are in use, and none came free in time
    kTimeout,  // the deadline passed before all servers were tried
  };
  Why why = Why::kFailed;
  mail::Stage stage = mail::Stage::kConnect;
  mail::Reply reply{};   // a refusal at banner or EHLO, else code 0
  std::string reason{};  // "connect: connection refused"
  std::string relay{};   // as Lease::relay(), or "none"
  std::string dsn{};     // where it is not the stage's: "4.4.3", the servers could not be found
  // The server knew whose mail it is (Wish::client) and refused or dropped him before MAIL: it may be about this client,
  // and says nothing of the server.
  bool of_client = false;
  bool timed_out = false;
};

using AcquireResult = std::expected<Lease, AcquireFailure>;

class Pool {
 public:
  Pool(net::Loop& loop, net::Resolver& resolver, PoolOptions options, PoolCallbacks callbacks);
  // One whose servers may change (a domain's MX): each acquire() asks `find` for the pool to take the connection
  // from, which calls `found` once, now or later; the time it takes counts. options() has no servers.
  using Found = std::function<void(std::expected<std::shared_ptr<Pool>, AcquireFailure>)>;
  using Find = std::function<void(Found found)>;
  Pool(net::Loop& loop, net::Resolver& resolver, Find find, PoolOptions options);
  // Idle connections are told QUIT. Waiters are called no more. Leases out stay usable; their
  // connections end when they come back.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  struct Wish {
    Millis deadline{20'000};         // over all servers, waiting for a free connection included
    bool fresh = false;              // a new connection, no reused one
    std::vector<std::string> avoid;  // servers (ServerName::text) that have failed in this transaction
    ClientPtr client{};              // whose mail it is, where PoolOptions::manner has it told
  };
  // A place in the queue for a connection; destroying it gives the place up.
  struct Waiting;
  class Waiter {
   public:
    explicit Waiter(std::shared_ptr<Waiting> waiting);  // made by the pool
    Waiter() = default;
    Waiter(Waiter&&) noexcept = default;
    Waiter& operator=(Waiter&& other) noexcept;
    ~Waiter();

   private:
    std::shared_ptr<Waiting> waiting_;
  };
  using Done = std::function<void(AcquireResult)>;
  // `done` is called once, never inside this call, and not after the Waiter is destroyed (which may
  // happen inside `done`). Waiters are served in their order.
  [[nodiscard]] Waiter acquire(Wish wish, Done done);

  void set_limit(int limit);  // connections over it end as they come back
  // The destination is said to be back: forget the breaker and all penalties.
  void forgive();
  // No more than these are idle, leased or being made.
  int connections() const;
  int idle() const;
  int waiting() const;
  const PoolOptions& options() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::upstream
