#include "smtpd/smtpd.h"

#include <fmt/format.h>

#include "common/base/installation_token.h"
#include "smtpd/crowd.h"

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
      space_(context.config->paths.spool),
      shared_{.loop = context.loop,
              .book = book_,
              .pools = pools_,
              .spool = spool_,
              .space = space_,
              .prober = prober_,
              .token = std::move(token),
              .writer = context.writer} {
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
        fmt::format("421 4.3.2 {}\r\n", kShort)));
  }
}

void Smtpd::accept(base::UniqueFd fd, const net::SocketAddress& peer) {
  const auto why = turned_away(sessions_.size(), static_cast<std::size_t>(book_.config().smtpd.max_clients));
  const auto at = sessions_.insert(sessions_.end(), nullptr);
  *at = std::make_unique<Session>(shared_, std::move(fd), peer, [this, at] { ended(at); });
  (*at)->start(why.empty() ? std::nullopt : std::optional(mail::Reply::make(421, "4.3.2", std::string(why))));
}

void Smtpd::ended(std::list<std::unique_ptr<Session>>::iterator session) {
  loop_.bury(std::move(*session));
  sessions_.erase(session);
  if (drained_ && sessions_.empty()) loop_.later(std::exchange(drained_, {}));
}

void Smtpd::reload(config::ConfigPtr config) {
  book_.reload(config);
  pools_.reload(*config);
  set_reserve(*config);
}

void Smtpd::drain(std::function<void()> done) {
  listeners_.clear();
  drained_ = std::move(done);
  for (auto at = sessions_.begin(); at != sessions_.end();) (*at++)->drain();
  if (drained_ && sessions_.empty()) loop_.later(std::exchange(drained_, {}));
}

}  // namespace holdfast::smtpd
