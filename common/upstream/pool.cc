#include "common/upstream/pool.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <fmt/format.h>

#include "common/base/panic.h"
#include "common/upstream/link.h"

namespace holdfast::upstream {
namespace {

using mail::Stage;

// A server is given so long to greet us even when many are to be tried; a time-out after less says
// nothing of it.
constexpr Millis kFairTime{3'000};
Millis fair_time(const Timeouts& timeouts) { return std::min(kFairTime, timeouts.session / 4); }
// The deadline itself is kept by the connection's own time-outs; this is for what they do not cover.
constexpr Millis kGrace{100};

}  // namespace

// One acquire(), from its call to its end.
struct Pool::Waiting {
  Wish wish;
  Done done;  // empty: ended, or given up
  base::Mono deadline;
  std::vector<bool> tried;
  std::unique_ptr<net::Timer> timer;
  bool queued = true;
  bool hurried = false;  // a server was given too little time to be judged
  std::size_t server = 0;
  std::vector<net::SocketAddress> addresses;  // of `server`, those still to try
  AcquireFailure last;
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

  WaitingPtr enqueue(Wish wish, Done done) {
    auto w = std::make_shared<Waiting>();
    w->deadline = loop.now() + wish.deadline;
    w->tried = book.marked(wish.avoid);
    w->wish = std::move(wish);
    w->done = std::move(done);
    queue.push_back(w);
    pump_soon();
    return w;
  }

  void pump_soon() {
    if (pump_waits || closed) return;
    pump_waits = true;
    loop.later([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->pump();
    });
  }

  // Serves waiters in their order, as far as there is room.
  void pump() {
    const auto self = shared_from_this();
    pump_waits = false;
    while (!closed && !queue.empty()) {
      const WaitingPtr w = queue.front();
      if (w->done && !serve(w)) {
        watch_deadlines();
        break;
      }
      if (!closed && !queue.empty() && queue.front() == w) queue.pop_front();
    }
  }

  // False: no room yet.
  bool serve(const WaitingPtr& w) {
    if (book.breaker_open(loop.now())) {
      AcquireFailure failure = last_failure;
      failure.why = AcquireFailure::Why::kBreaker;
      finish(w, std::unexpected(std::move(failure)));
      return true;
    }
    const auto server = book.pick(loop.now(), callbacks.usable, w->tried);
    if (!server) {
      all_failed(w);
      return true;
    }
    if (!w->wish.fresh && give_idle(w, *server)) return true;
    if (connections() >= options.limit && !close_an_idle()) return false;
    w->queued = false;
    try_server(w, *server);
    return true;
  }

  void finish(const WaitingPtr& w, AcquireResult result) {
    w->timer.reset();
    w->queued = false;
    const Done done = std::exchange(w->done, nullptr);
    if (done) done(std::move(result));
    pump_soon();
  }

  void fail(const WaitingPtr& w, AcquireFailure::Why why) {
    AcquireFailure failure = w->last;
    failure.why = why;
    finish(w, std::unexpected(std::move(failure)));
  }

  // Of those who wait for room: the last ones have no timer yet.
  void watch_deadlines() {
    for (auto at = queue.rbegin(); at != queue.rend(); ++at) {
      if ((*at)->timer) break;
      if ((*at)->done) watch_deadline(*at);
    }
  }

  void watch_deadline(const WaitingPtr& w) {
    if (w->timer) return;
    w->timer = std::make_unique<net::Timer>(loop, [weak_self = weak_from_this(), weak = std::weak_ptr(w)] {
      const auto self = weak_self.lock();
      const WaitingPtr late = weak.lock();
      if (self && late) self->on_deadline(late);
    });
    const auto left = std::chrono::ceil<Millis>(w->deadline - loop.now());
    w->timer->start(std::max(left, Millis{0}) + kGrace);
  }

  void on_deadline(const WaitingPtr& w) {
    if (!w->done) return;
    if (w->queued) {
      std::erase(queue, w);
      w->last = {.stage = Stage::kLocal,
                 .reason = fmt::format("all {} connections are in use", options.limit),
                 .relay = "none"};
      fail(w, AcquireFailure::Why::kBusy);
    } else {
      if (w->last.reason.empty()) w->last = {.reason = "connect: timed out", .relay = "none"};
      fail(w, AcquireFailure::Why::kTimeout);
    }
  }

  // --- trying servers ---

  void try_server(const WaitingPtr& w, std::size_t server) {
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

  void on_resolved(const WaitingPtr& w, base::Result<std::vector<net::SocketAddress>> result) {
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

  void next_address(const WaitingPtr& w) {
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

    const auto link = std::make_shared<Link>(loop, weak_from_this(), w->server, book.name(w->server));
    link->waiter = w;
    link->hurried = timeouts.session < fair_time(options.timeouts);
    links.push_back(link);
    link->connect(to, options.helo, timeouts);
  }

  void next_server(const WaitingPtr& w) {
    w->tried[w->server] = true;
    if (!w->hurried) book.failed(w->server, loop.now());
    const auto server = book.pick(loop.now(), callbacks.usable, w->tried);
    if (!server) {
      all_failed(w);
    } else if (w->wish.fresh || !give_idle(w, *server)) {
      try_server(w, *server);
    }
  }

  void all_failed(const WaitingPtr& w) {
    if (w->last.reason.empty()) w->last = last_failure;  // of a lease, when all are to be avoided
    if (w->last.reason.empty()) w->last = {.reason = "connect: no server is left to try", .relay = "none"};
    last_failure = w->last;
    if (proves_all_failed(*w)) book.all_failed(loop.now());
    fail(w, AcquireFailure::Why::kFailed);
  }

  // Servers that the caller wants avoided may have said no to this one sender only.
  bool proves_all_failed(const Waiting& w) const {
    const std::vector<bool> avoided = book.marked(w.wish.avoid);
    for (std::size_t i = 0; i < avoided.size(); ++i) {
      if (avoided[i] && !book.penalised(i, loop.now())) return false;
    }
    return !w.hurried;
  }

  // --- links ---

  void on_made(Link& link) override {
    book.succeeded(link.server());
    good_addresses[link.server()] = link.address();
    const WaitingPtr w = link.waiter.lock();
    if (w && w->done) {
      link.lease(false);
      finish(w, Lease(link.shared_from_this()));
    } else {
      on_free(link);
    }
  }

  void on_not_made(Link& link, const Failure& failure) override {
    const WaitingPtr w = link.waiter.lock();
    remove(link);
    const bool proof = !(failure.timed_out && link.hurried);
    if (proof) {
      observe({.server = link.name().text,
               .address = link.address(),
               .stage = failure.stage,
               .code = failure.reply.code,
               .reason = failure.reason});
    }
    if (!w || !w->done) {
      if (proof) book.failed(link.server(), loop.now());
      pump_soon();
      return;
    }
    w->hurried |= !proof;
    w->last = {.stage = failure.stage, .reply = failure.reply, .reason = failure.reason, .relay = link.relay()};
    next_address(w);
  }

  void on_free(Link& link) override {
    link.rest(loop.now());
    if (!idle_timer.waiting()) idle_timer.start(options.idle);
    pump_soon();
  }

  void on_gone(Link& link) override {
    remove(link);
    pump_soon();
  }

  void on_observed(Link& link, bool ok, Stage stage, int code, std::string_view reason, bool reused) override {
    if (ok && !book.worth_reporting(link.server(), loop.now())) return;
    if (!ok && !reused && code == 0) {
      last_failure = {.stage = stage, .reason = std::string(reason), .relay = link.relay()};
      if (stage <= Stage::kMail) book.failed(link.server(), loop.now());
    }
    observe({link.name().text, link.address(), ok, stage, code, reason, reused});
  }

  bool wanted(const Link& link) const override {
    return !closed && connections() <= options.limit && link.connection().transactions() < options.max_transactions;
  }

  void observe(const Observation& seen) const {
    if (callbacks.report) callbacks.report(seen);
  }

  void remove(Link& link) {
    const auto found = std::ranges::find_if(links, [&](const auto& l) { return l.get() == &link; });
    if (found != links.end()) links.erase(found);
  }

  int connections() const { return static_cast<int>(links.size()) + resolving; }

  // --- idle ones ---

  // The one used last, so that the others grow old.
  bool give_idle(const WaitingPtr& w, std::size_t server) {
    std::shared_ptr<Link> best;
    for (const auto& link : links) {
      if (link->state() != Link::State::kIdle || link->server() != server) continue;
      if (!best || link->idle_since() >= best->idle_since()) best = link;
    }
    if (!best) return false;
    best->lease(true);
    finish(w, Lease(best));
    return true;
  }

  bool close_an_idle() {
    std::shared_ptr<Link> oldest;
    for (const auto& link : links) {
      if (link->state() == Link::State::kIdle && (!oldest || link->idle_since() < oldest->idle_since())) oldest = link;
    }
    if (!oldest) return false;
    oldest->quit();
    return true;
  }

  void sweep() {
    const auto self = shared_from_this();
    std::vector<std::shared_ptr<Link>> old;
    std::optional<base::Mono> next;
    for (const auto& link : links) {
      if (link->state() != Link::State::kIdle) continue;
      const base::Mono end = link->idle_since() + options.idle;
      if (end <= loop.now()) {
        old.push_back(link);
      } else if (!next || end < *next) {
        next = end;
      }
    }
    for (const auto& link : old) link->quit();
    if (next) idle_timer.start(std::chrono::ceil<Millis>(*next - loop.now()));
  }

  void close() {
    closed = true;
    for (const auto& w : std::exchange(queue, {})) w->done = nullptr;
    for (const auto& link : std::vector(links)) {
      if (const WaitingPtr w = link->waiter.lock()) w->done = nullptr;
      if (link->state() == Link::State::kMaking) link->drop();
      if (link->state() == Link::State::kIdle || link->state() == Link::State::kCleaning) link->quit();
    }
  }

  net::Loop& loop;
  net::Resolver& resolver;
  PoolOptions options;
  PoolCallbacks callbacks;
  ServerBook book;
  std::vector<std::string> good_addresses;  // a server's, that worked last: tried first
  AcquireFailure last_failure;              // of the last acquire() that failed on all
  std::deque<WaitingPtr> queue;             // those without a place yet
  std::vector<std::shared_ptr<Link>> links;
  int resolving = 0;  // places held by those that have no link yet
  bool pump_waits = false, closed = false;
  net::Timer idle_timer;
};

Pool::Pool(net::Loop& loop, net::Resolver& resolver, PoolOptions options, PoolCallbacks callbacks)
    : impl_(std::make_shared<Impl>(loop, resolver, std::move(options), std::move(callbacks))) {}

Pool::~Pool() { impl_->close(); }

Pool::Waiter Pool::acquire(Wish wish, Done done) { return Waiter(impl_->enqueue(std::move(wish), std::move(done))); }

void Pool::set_limit(int limit) {
  impl_->options.limit = limit;
  while (impl_->connections() > limit && impl_->close_an_idle()) {
  }
  impl_->pump_soon();
}

void Pool::forgive() {
  impl_->book.forgive();
  impl_->pump_soon();
}

int Pool::connections() const { return impl_->connections(); }
int Pool::idle() const {
  return static_cast<int>(
      std::ranges::count(impl_->links, Link::State::kIdle, [](const auto& l) { return l->state(); }));
}
int Pool::waiting() const {
  return static_cast<int>(std::ranges::count_if(impl_->queue, [](const auto& w) { return w->done != nullptr; }));
}
const PoolOptions& Pool::options() const { return impl_->options; }

Pool::Waiter::Waiter(std::shared_ptr<Waiting> waiting) : waiting_(std::move(waiting)) {}

Pool::Waiter& Pool::Waiter::operator=(Waiter&& other) noexcept {
  const Waiter old(std::exchange(waiting_, std::move(other.waiting_)));
  return *this;
}

Pool::Waiter::~Waiter() {
  if (waiting_ == nullptr) return;
  waiting_->done = nullptr;
  waiting_->timer.reset();
}

}  // namespace holdfast::upstream
