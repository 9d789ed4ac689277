// What a Pool is made of. Private to common/upstream: pool.cc has the waiters, pool_deadlines.cc their
// time, pool_servers.cc the choice of servers, pool_links.cc the connections.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "common/upstream/handshake_memory.h"
#include "common/upstream/link.h"
#include "common/upstream/pool.h"

namespace holdfast::upstream {

using mail::Stage;

// One acquire(), from its call to its end.
struct Pool::Waiting {
  Wish wish;
  Done done;  // empty: ended, or given up
  base::Mono deadline;
  std::vector<bool> tried;
  std::unique_ptr<net::Timer> timer;
  bool queued = true;
  bool hurried = false;  // a server was given too little time to be judged, or we had no socket for it
  std::size_t server = 0;
  std::vector<net::SocketAddress> addresses;  // of `server`, those still to try
  AcquireFailure last;
  // Where the servers are found anew: the pool that was asked, which must not end before it has answered.
  std::shared_ptr<Pool> asked;
  Waiter inner;
};

struct Pool::Impl : Link::Owner, std::enable_shared_from_this<Pool::Impl> {
  using WaitingPtr = std::shared_ptr<Waiting>;

  Impl(net::Loop& l, net::Resolver& r, PoolOptions o, PoolCallbacks c)
      : loop(l),
        resolver(r),
        options(std::move(o)),
        callbacks(std::move(c)),
        book(options.servers, options.penalty, options.breaker),
        idle_timer(l, [this] { sweep(); }) {
    good_addresses.resize(book.size());
  }

  // --- waiters ---

  WaitingPtr enqueue(Wish wish, Done done);
  void pump_soon();
  // Serves waiters in their order, as far as there is room.
  void pump();
  // False: no room yet.
  bool serve(const WaitingPtr& w);
  void finish(const WaitingPtr& w, AcquireResult result);
  void fail(const WaitingPtr& w, AcquireFailure::Why why);
  // Of those who wait for room: the last ones have no timer yet.
  void watch_deadlines();
  void watch_deadline(const WaitingPtr& w);
  void on_deadline(const WaitingPtr& w);

  // --- servers that are found anew ---

  void ask_for_servers(const WaitingPtr& w);
  void on_found(const WaitingPtr& w, std::expected<std::shared_ptr<Pool>, AcquireFailure> result);

  // --- trying servers ---

  void try_server(const WaitingPtr& w, std::size_t server);
  void on_resolved(const WaitingPtr& w, base::Result<std::vector<net::SocketAddress>> result);
  void next_address(const WaitingPtr& w);
  void next_server(const WaitingPtr& w);
  void all_failed(const WaitingPtr& w);
  // Servers that the caller wants avoided may have said no to this one sender only.
  bool proves_all_failed(const Waiting& w) const;

  // --- links ---

  void on_made(Link& link) override;
  void on_not_made(Link& link, const Failure& failure) override;
  void on_free(Link& link) override;
  void on_gone(Link& link) override;
  void on_observed(Link& link, bool ok, Stage stage, int code, std::string_view reason, bool reused) override;
  bool wanted(const Link& link) const override;
  void observe(const Observation& seen) const {
    if (callbacks.report) callbacks.report(seen);
  }
  void remove(Link& link);
  int connections() const { return static_cast<int>(links.size()) + resolving; }

  // --- idle ones ---

  // The one used last, so that the others grow old; first of all one that knows the client already.
  bool give_idle(const WaitingPtr& w, std::size_t server);
  void on_lost_while_telling(Link& link, const Failure& failure);
  bool close_an_idle();
  void sweep();
  void close();

  net::Loop& loop;
  net::Resolver& resolver;
  PoolOptions options;
  PoolCallbacks callbacks;
  Find find;                    // set: nothing but these two and the options counts
  std::shared_ptr<Pool> current;  // by the last find()
  ServerBook book;
  HandshakeMemory handshakes;
  std::vector<std::string> good_addresses;  // a server's, that worked last: tried first
  AcquireFailure last_failure;              // of the last acquire() that failed on all
  std::deque<WaitingPtr> queue;             // those without a place yet
  std::vector<std::shared_ptr<Link>> links;
  int resolving = 0;  // places held by those that have no link yet
  bool pump_waits = false, closed = false;
  net::Timer idle_timer;
};

}  // namespace holdfast::upstream
