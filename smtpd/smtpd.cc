#include "smtpd/smtpd.h"

#include <fmt/format.h>

#include "common/base/announce.h"
#include "common/base/installation_token.h"
#include "common/stats/counters.h"
#include "smtpd/certificates.h"
#include "smtpd/crowd.h"

namespace holdfast::smtpd {

namespace {

constexpr net::Millis kLook{1000};

}  // namespace

base::Result<std::unique_ptr<daemon::Service>> Smtpd::start(daemon::Context& context) {
  auto token = base::installation_token(context.config->paths.state);
  if (!token) return std::unexpected(token.error());
  const base::UniqueFd memory(context.board_fd);
  auto board = memory ? daemon::Board::open(memory.get(), context.workers) : daemon::Board::alone(context.workers);
  if (!board) return std::unexpected(board.error());
  return std::unique_ptr<daemon::Service>(new Smtpd(context, std::move(*token), std::move(*board)));
}

Smtpd::Smtpd(daemon::Context& context, std::string token, daemon::Board board)
    : loop_(context.loop),
      book_(context.config),
      prober_(context.loop, context.socket("prober"), context.hello()),
      pools_(context.loop, book_, prober_, static_cast<int>(context.workers)),
      spool_(context.loop, {.folder = context.config->paths.spool,
                            .qmgr_socket = context.socket("qmgr"),
                            .writer = context.writer,
                            .self = context.hello()}),
      space_(context.config->paths.spool),
      board_(std::move(board)),
      worker_(context.worker),
      workers_(context.workers),
      limits_(board_, context.worker, context.workers, *context.config),
      names_(context.loop, *context.config),
      admission_(context.loop, *context.config),
      shared_{.loop = context.loop,
              .book = book_,
              .pools = pools_,
              .spool = spool_,
              .space = space_,
              .prober = prober_,
              .limits = limits_,
              .names = names_,
              .admission = admission_,
              .token = std::move(token),
              .writer = context.writer},
      look_(context.loop, [this] { look(); }) {
  shared_.tls = certificates(context.config->tls, nullptr);
  set_reserve(*context.config);
  listen(std::move(context.listeners));
}

void Smtpd::set_reserve(const config::Config& config) {
  space_.set_reserve({.percent = config.reserve.percent, .bytes = config.reserve.bytes});
}

void Smtpd::listen(std::vector<base::UniqueFd> sockets) {
  if (drained_) return;  // ending: no new clients
  listeners_.clear();
  for (auto& fd : sockets) {
    listeners_.push_back(std::make_unique<net::Listener>(
        loop_, std::move(fd),
        [this](base::UniqueFd client, const net::SocketAddress& peer) { accept(std::move(client), peer); },
        fmt::format("421 4.3.2 {}\r\n", kShort), [this] { return willing(); }));
  }
  most_ = most_clients(static_cast<std::size_t>(book_.config().smtpd.max_clients));
  show_room();
}

void Smtpd::show_room() {
  const auto clients = sessions_.size();
  const auto room = drained_ || listeners_.empty() || clients >= most_ ? 0 : most_ - clients;
  daemon::set(limits_.gauges().room, static_cast<std::uint32_t>(room));
}

// Who is full leaves a client to a worker that is not. When all are, each tells him so.
bool Smtpd::willing() const {
  if (sessions_.size() < most_) return true;
  for (std::uint32_t other = 0; other < workers_; ++other) {
    if (other != worker_ && daemon::seen(board_.gauges(other).room) > 0) return false;
  }
  return true;
}

void Smtpd::accept(base::UniqueFd fd, const net::SocketAddress& peer) {
  const auto why = turned_away(sessions_.size(), static_cast<std::size_t>(book_.config().smtpd.max_clients));
  stats::count(stats::Counter::kConnections);
  if (!why.empty()) {
    daemon::add(limits_.gauges().refused_connections, std::uint64_t{1});
    stats::count(stats::Counter::kLimitedConnections);
  }
  const auto at = sessions_.insert(sessions_.end(), nullptr);
  if (!look_.waiting()) {
    look();
    look_.every(kLook);
  }
  counted();
  *at = std::make_unique<Session>(shared_, std::move(fd), peer, [this, at] { ended(at); });
  (*at)->start(why.empty() ? std::nullopt : std::optional(mail::Reply::make(421, "4.3.2", std::string(why))));
}

// A session has come or gone.
void Smtpd::counted() {
  const auto& rules = book_.config().smtpd;
  const auto clients = sessions_.size();
  daemon::set(limits_.gauges().clients, static_cast<std::uint32_t>(clients));
  show_room();
  if (!stress_.update(clients, most_, rules.stress_percent)) return;
  daemon::set(limits_.gauges().stressed, stress_.on() ? 1U : 0U);
  base::announce(base::Level::kWarning, "stress", {{"state", stress_.on() ? "begins" : "ends"},
                                                     {"clients", fmt::format("{}", clients)},
                                                     {"most", fmt::format("{}", most_)}});
}

// One that is ended leaves the list at once.
void Smtpd::look() {
  if (sessions_.empty()) return look_.stop();
  const auto& rules = book_.config().smtpd;
  most_ = most_clients(static_cast<std::size_t>(rules.max_clients));
  const Patience::Rules patience{
      .command = stress_.on() ? std::min(rules.command_timeout, rules.stress_timeout) : rules.command_timeout,
      .content = rules.content_timeout,
      .min_rate = rules.min_rate};
  const auto now = loop_.now();
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const auto session = at++;
    if (*session) (*session)->look(now, patience);
  }
}

void Smtpd::ended(std::list<std::unique_ptr<Session>>::iterator session) {
  loop_.bury(std::move(*session));
  sessions_.erase(session);
  counted();
  if (drained_ && sessions_.empty()) loop_.later(std::exchange(drained_, {}));
}

void Smtpd::reload(config::ConfigPtr config) {
  book_.reload(config);
  pools_.reload(config);
  limits_.reload(*config);
  names_.reload(*config);
  admission_.reload(*config);
  shared_.filters.reload(*config);
  set_reserve(*config);
  shared_.tls = certificates(config->tls, std::move(shared_.tls));
}

void Smtpd::drain(std::function<void()> done) {
  listeners_.clear();
  drained_ = std::move(done);
  show_room();
  for (auto at = sessions_.begin(); at != sessions_.end();) (*at++)->drain();
  if (drained_ && sessions_.empty()) loop_.later(std::exchange(drained_, {}));
}

}  // namespace holdfast::smtpd
