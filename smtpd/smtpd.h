// smtpd: speaks SMTP to the world, hands mail through to its destination, and spools what must be kept.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "common/daemon/daemon.h"
#include "smtpd/session.h"

namespace holdfast::smtpd {

class Smtpd final : public daemon::Service {
 public:
  static base::Result<std::unique_ptr<daemon::Service>> start(daemon::Context& context);

  void reload(config::ConfigPtr config) override;
  void listen(std::vector<base::UniqueFd> sockets) override;
  // Takes no more clients; those with a transaction under way finish it.
  void drain(std::function<void()> done) override;

 private:
  Smtpd(daemon::Context& context, std::string token);

  void set_reserve(const config::Config& config);
  void accept(base::UniqueFd fd, const net::SocketAddress& peer);
  void ended(std::list<std::unique_ptr<Session>>::iterator session);

  net::Loop& loop_;
  AddressBook book_;
  ProberLink prober_;
  Pools pools_;
  Spool spool_;
  storage::SpaceWatch space_;
  Shared shared_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::list<std::unique_ptr<Session>> sessions_;
  std::function<void()> drained_;
};

}  // namespace holdfast::smtpd
