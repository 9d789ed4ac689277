#include "smtpd/smtpd.h"

#include "common/base/installation_token.h"

namespace holdfast::smtpd {

base::Result<std::unique_ptr<daemon::Service>> Smtpd::start(daemon::Context& context) {
  auto token = base::installation_token(context.config->paths.state);
  if (!token) return std::unexpected(token.error());
  return std::unique_ptr<daemon::Service>(new Smtpd(context, std::move(*token)));
}

Smtpd::Smtpd(daemon::Context& context, std::string token)
    : loop_(context.loop),
      book_(context.config),
      prober_(context.loop, context.socket("prober"), context.hello()),
      pools_(context.loop, book_, prober_, static_cast<int>(context.workers)),
      spool_(context.loop, {.folder = context.config->paths.spool,
                            .qmgr_socket = context.socket("qmgr"),
                            .writer = context.writer,
                            .self = context.hello()}),
      shared_{.loop = context.loop,
              .book = book_,
              .pools = pools_,
              .spool = spool_,
              .prober = prober_,
              .token = std::move(token),
              .writer = context.writer} {
  listen(std::move(context.listeners));
}

void Smtpd::listen(std::vector<base::UniqueFd> sockets) {
  if (drained_) return;  // ending: no new clients
  listeners_.clear();
  for (auto& fd : sockets) {
    listeners_.push_back(std::make_unique<net::Listener>(
        loop_, std::move(fd),
        [this](base::UniqueFd client, const net::SocketAddress& peer) { accept(std::move(client), peer); }));
  }
}

void Smtpd::accept(base::UniqueFd fd, const net::SocketAddress& peer) {
  const bool full = sessions_.size() >= static_cast<std::size_t>(book_.config().smtpd.max_clients);
  const auto at = sessions_.insert(sessions_.end(), nullptr);
  *at = std::make_unique<Session>(shared_, std::move(fd), peer, [this, at] { ended(at); });
  (*at)->start(full ? std::optional(mail::Reply::make(421, "4.3.2", "Too many connections, try again later"))
                    : std::nullopt);
}

void Smtpd::ended(std::list<std::unique_ptr<Session>>::iterator session) {
  loop_.bury(std::move(*session));
  sessions_.erase(session);
  if (drained_ && sessions_.empty()) loop_.later(std::exchange(drained_, {}));
}

void Smtpd::reload(config::ConfigPtr config) {
  book_.reload(config);
  pools_.reload(*config);
}

void Smtpd::drain(std::function<void()> done) {
  listeners_.clear();
  drained_ = std::move(done);
  for (auto at = sessions_.begin(); at != sessions_.end();) (*at++)->drain();
  if (drained_ && sessions_.empty()) loop_.later(std::exchange(drained_, {}));
}

}  // namespace holdfast::smtpd
