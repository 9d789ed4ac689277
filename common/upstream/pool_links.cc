#include "common/upstream/pool_impl.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace holdfast::upstream {

void Pool::Impl::on_made(Link& link) {
  book.succeeded(link.server());
  good_addresses[link.server()] = link.address();
  if (link.connection().fell_back()) handshakes.failed(link.address(), loop.now());
  const bool reused = std::exchange(link.telling, false);
  const WaitingPtr w = link.waiter.lock();
  if (w && w->done) {
    link.lease(reused);
    finish(w, Lease(link.shared_from_this()));
  } else {
    on_free(link);
  }
}

void Pool::Impl::on_not_made(Link& link, const Failure& failure) {
  if (link.telling) return on_lost_while_telling(link, failure);
  const WaitingPtr w = link.waiter.lock();
  const bool of_client =
      link.connection().client() != nullptr && (failure.stage == Stage::kBanner || failure.stage == Stage::kEhlo);
  const bool judged = !(failure.timed_out && link.hurried) && failure.stage != Stage::kLocal;
  const bool proof = judged && !of_client;
  remove(link);
  if (judged) {
    observe({.server = link.name().text,
             .address = link.address(),
             .stage = failure.stage,
             .code = failure.reply.code,
             .reason = failure.reason,
             .reused = of_client});  // a reason to look, no more
  }
  if (!w || !w->done) {
    if (proof) book.failed(link.server(), loop.now());
    pump_soon();
    return;
  }
  w->hurried |= !proof;
  w->last = {.stage = failure.stage, .reply = failure.reply, .reason = failure.reason, .relay = link.relay(),
             .of_client = of_client, .timed_out = failure.timed_out};
  if (of_client && failure.reply.permanent()) return fail(w, AcquireFailure::Why::kFailed);
  next_address(w);
}

// As one that fails at MAIL: it may have died unseen, and a new one takes its place.
void Pool::Impl::on_lost_while_telling(Link& link, const Failure& failure) {
  const WaitingPtr w = link.waiter.lock();
  observe({link.name().text, link.address(), false, failure.stage, failure.reply.code, failure.reason, true});
  remove(link);
  if (w && w->done) {
    w->wish.fresh = w->queued = true;
    queue.push_front(w);
  }
  pump_soon();
}

void Pool::Impl::on_free(Link& link) {
  link.rest(loop.now());
  if (!idle_timer.waiting()) idle_timer.start(options.idle);
  pump_soon();
}

void Pool::Impl::on_gone(Link& link) {
  remove(link);
  pump_soon();
}

void Pool::Impl::on_observed(Link& link, bool ok, Stage stage, int code, std::string_view reason, bool reused) {
  if (ok && !book.worth_reporting(link.server(), loop.now())) return;
  if (!ok && !reused && code == 0) {
    last_failure = {.stage = stage, .reason = std::string(reason), .relay = link.relay()};
    if (stage <= Stage::kMail) book.failed(link.server(), loop.now());
  }
  observe({link.name().text, link.address(), ok, stage, code, reason, reused});
}

bool Pool::Impl::wanted(const Link& link) const {
  return !closed && connections() <= options.limit && link.connection().transactions() < options.max_transactions;
}

void Pool::Impl::remove(Link& link) {
  const auto found = std::ranges::find_if(links, [&](const auto& l) { return l.get() == &link; });
  if (found != links.end()) links.erase(found);
}

bool Pool::Impl::give_idle(const WaitingPtr& w, std::size_t server) {
  std::shared_ptr<Link> best;
  Link::Fit how = Link::Fit::kNo;
  for (const auto& link : links) {
    if (link->state() != Link::State::kIdle || link->server() != server) continue;
    const Link::Fit fit = link->fit(w->wish.client);
    if (fit == Link::Fit::kNo || fit < how) continue;
    if (!best || fit > how || link->idle_since() >= best->idle_since()) best = link;
    how = fit;
  }
  if (!best) return false;
  if (how == Link::Fit::kTell) {
    w->queued = false;
    w->server = server;
    watch_deadline(w);
    best->waiter = w;
    best->tell(w->wish.client);
    return true;
  }
  best->lease(true);
  finish(w, Lease(best));
  return true;
}

bool Pool::Impl::close_an_idle() {
  std::shared_ptr<Link> oldest;
  for (const auto& link : links) {
    if (link->state() == Link::State::kIdle && (!oldest || link->idle_since() < oldest->idle_since())) oldest = link;
  }
  if (!oldest) return false;
  oldest->quit();
  return true;
}

void Pool::Impl::sweep() {
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

void Pool::Impl::close() {
  closed = true;
  for (const auto& w : std::exchange(queue, {})) w->done = nullptr;
  for (const auto& link : std::vector(links)) {
    if (const WaitingPtr w = link->waiter.lock()) w->done = nullptr;
    if (link->state() == Link::State::kMaking) link->drop();
    if (link->state() == Link::State::kIdle || link->state() == Link::State::kCleaning) link->quit();
  }
}

}  // namespace holdfast::upstream
