#include "common/upstream/pool_impl.h"

#include <algorithm>
#include <utility>

namespace holdfast::upstream {
namespace {

// A server is given so long to greet us even when many are to be tried; a time-out after less says
// nothing of it.
constexpr Millis kFairTime{3'000};
Millis fair_time(const Timeouts& timeouts) { return std::min(kFairTime, timeouts.session / 4); }

}  // namespace

void Pool::Impl::try_server(const WaitingPtr& w, std::size_t server) {
  w->server = server;
  w->addresses.clear();
  watch_deadline(w);
  book.attempt(server, loop.now());
  ++resolving;
  const ServerName& name = book.name(server);
  resolver.resolve(name.host, name.port,
                   [weak = weak_from_this(), w](base::Result<std::vector<net::SocketAddress>> r) {
                     if (const auto self = weak.lock()) self->on_resolved(w, std::move(r));
                   });
}

void Pool::Impl::on_resolved(const WaitingPtr& w, base::Result<std::vector<net::SocketAddress>> result) {
  --resolving;
  if (closed) return;
  if (!w->done) {
    pump_soon();
    return;
  }
  if (!result) {
    w->last = {.reason = "lookup: " + result.error().text, .relay = "none"};
    observe({.server = book.name(w->server).text, .stage = Stage::kConnect, .reason = w->last.reason});
    next_server(w);
    return;
  }
  w->addresses = std::move(*result);
  const auto good =
      std::ranges::find_if(w->addresses, [&](const auto& a) { return a.text() == good_addresses[w->server]; });
  if (good != w->addresses.end()) std::rotate(w->addresses.begin(), good, good + 1);
  next_address(w);
}

void Pool::Impl::next_address(const WaitingPtr& w) {
  if (w->addresses.empty()) {
    next_server(w);
    return;
  }
  std::vector<bool> tried = w->tried;
  tried[w->server] = true;
  const auto shares = static_cast<Millis::rep>(w->addresses.size() + book.left(callbacks.usable, tried));
  const auto left = std::chrono::duration_cast<Millis>(w->deadline - loop.now());
  if (left <= Millis{0}) {
    fail(w, AcquireFailure::Why::kTimeout);
    return;
  }
  const Millis share = std::min(left, std::max(fair_time(options.timeouts), left / shares));
  Timeouts timeouts = options.timeouts;
  timeouts.session = std::min(timeouts.session, share);
  timeouts.connect = std::min(timeouts.connect, share);
  const net::SocketAddress to = w->addresses.front();
  w->addresses.erase(w->addresses.begin());

  const ServerName& name = book.name(w->server);
  const auto link = std::make_shared<Link>(loop, weak_from_this(), w->server, book.name(w->server));
  link->waiter = w;
  link->hurried = timeouts.session < fair_time(options.timeouts);
  links.push_back(link);
  link->connect(to, options.helo, timeouts, name.security ? name.security : options.security,
                {.manner = options.manner,
                 .client = w->wish.client,
                 .in_clear = !name.security && handshakes.fails(to.text(), loop.now())});
}

void Pool::Impl::next_server(const WaitingPtr& w) {
  w->tried[w->server] = true;
  if (!w->hurried) book.failed(w->server, loop.now());
  const auto server = book.pick(loop.now(), callbacks.usable, w->tried);
  if (!server) {
    all_failed(w);
  } else if (w->wish.fresh || !give_idle(w, *server)) {
    try_server(w, *server);
  }
}

void Pool::Impl::all_failed(const WaitingPtr& w) {
  if (w->last.reason.empty()) w->last = last_failure;  // of a lease, when all are to be avoided
  if (w->last.reason.empty()) w->last = {.reason = "connect: no server is left to try", .relay = "none"};
  if (!w->last.of_client) last_failure = w->last;
  if (proves_all_failed(*w)) book.all_failed(loop.now());
  fail(w, AcquireFailure::Why::kFailed);
}

bool Pool::Impl::proves_all_failed(const Waiting& w) const {
  const std::vector<bool> avoided = book.marked(w.wish.avoid);
  for (std::size_t i = 0; i < avoided.size(); ++i) {
    if (avoided[i] && !book.penalised(i, loop.now())) return false;
  }
  return !w.hurried;
}

}  // namespace holdfast::upstream
