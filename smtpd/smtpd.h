// smtpd: speaks SMTP to the world, hands mail through to its destination, and spools what must be kept.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "common/daemon/daemon.h"
#include "smtpd/session.h"
#include "smtpd/stress.h"

namespace holdfast::smtpd {

class Smtpd final : public daemon::Service {
 public:
  static base::Result<std::unique_ptr<daemon::Service>> start(daemon::Context& context);

  void reload(config::ConfigPtr config) override;
  void listen(std::vector<base::UniqueFd> sockets) override;
  // Takes no more clients; those with a transaction under way finish it.
  void drain(std::function<void()> done) override;

 private:
  Smtpd(daemon::Context& context, std::string token, daemon::Board board);

  void set_reserve(const config::Config& config);
  void accept(base::UniqueFd fd, const net::SocketAddress& peer);
  void counted();
  void show_room();
  bool willing() const;
  void look();
  void ended(std::list<std::unique_ptr<Session>>::iterator session);

  net::Loop& loop_;
  AddressBook book_;
  ProberLink prober_;
  Pools pools_;
  Spool spool_;
  storage::SpaceWatch space_;
  const daemon::Board board_;
  const std::uint32_t worker_, workers_;
  ClientLimits limits_;
  ClientNames names_;
  Admission admission_;
  Shared shared_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::list<std::unique_ptr<Session>> sessions_;
  std::function<void()> drained_;
  std::size_t most_ = 0;  // clients, as of the last look()
  Stress stress_;
  net::Timer look_;  // while there are sessions
};

}  // namespace holdfast::smtpd
