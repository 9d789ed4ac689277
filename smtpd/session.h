// A client's connection: the protocol core on a stream, and its transaction.
#pragma once

#include <functional>
#include <memory>

#include "common/base/network.h"
#include "common/net/proxy_header.h"
#include "common/net/stream.h"
#include "common/smtp/server_session.h"
#include "smtpd/client_filters.h"
#include "smtpd/opening.h"
#include "smtpd/patience.h"
#include "smtpd/shared.h"
#include "smtpd/transaction.h"

namespace holdfast::smtpd {

class Session final : private net::StreamHandler {
 public:
  // `ended` is called once, when the connection is over or only its last bytes are still to be sent; it
  // may destroy the Session.
  Session(Shared& shared, base::UniqueFd fd, const net::SocketAddress& peer, std::function<void()> ended);
  ~Session() override;

  // Greets once it is known who the client is and that it may come in (session_opening.cc); or with `refusal`
  // sends that and ends.
  void start(const std::optional<mail::Reply>& refusal = std::nullopt);
  // The daemon ends: now if nothing is under way, else after the transaction.
  void drain();
  // Once a second or so: ends it if the client has been waited for long enough.
  void look(base::Mono now, const Patience::Rules& rules);

 private:
  // Before the banner.
  void await_header();
  void before_banner(std::string_view bytes);
  void bad_header(std::string_view fault);
  void admit(std::string_view early);
  void greet();
  bool has_spoken() const;
  void talked_early();
  bool refuses_haste() const;
  void set_client(const net::SocketAddress& address);
  void remember(const smtp::XclientAttributes& says, bool another);
  void announce();
  void turn_away(const mail::Reply& refusal);
  void look_up_name();
  void await_name();
  void name_is_settled();
  void slow_down();

  void pump();
  void handle(const smtp::ServerEvent& event);
  void on(const smtp::event::Connect&);
  void on(const smtp::event::Helo& event);
  void on(const smtp::event::Mail& event);
  void on(const smtp::event::Rcpt& event);
  void on(const smtp::event::Data&);
  void on(const smtp::event::Content& event);
  void on(const smtp::event::ContentEnd& event);
  void on(const smtp::event::Reset&);
  void on(const smtp::event::Quit&) {}
  void on(const smtp::event::Rejected& event);
  void on(const smtp::event::StartTls&);
  void on(const smtp::event::Xclient&);
  void answer(const mail::Reply& reply);
  void finish_transaction();
  void forget_filters();
  void close(const mail::Reply& reply);
  bool congested();
  void flush();
  void end();

  void on_data(std::string_view bytes) override;
  void on_sent() override;
  void on_secured() override;
  void on_end(std::string_view reason) override;
  bool on_idle() override;

  Shared& shared_;
  Client client_;
  base::IpAddress ip_;
  ClientLimits::Place place_;
  std::unique_ptr<Opening> opening_;  // until the banner, where something is waited for
  smtp::ServerSession core_;
  net::Stream stream_;
  std::unique_ptr<ClientFilters> filters_;  // outlives the transaction that asks them
  std::unique_ptr<Transaction> transaction_;
  std::function<void()> ended_;
  Patience patience_;
  int errors_seen_ = 0;
  std::unique_ptr<net::Timer> penalty_;                 // while the client waits for what its errors cost
  std::unique_ptr<ClientNames::Wait> name_wait_;        // while the name is looked up
  std::unique_ptr<net::Timer> name_limit_;              // while EHLO waits for it
  base::Mono asked_name_{};
  std::optional<smtp::XclientAttributes> told_;         // by XCLIENT: holds until one about another client
  bool of_proxy_ = false;  // a proxy's own connection, as its checks of our health are
  bool announced_ = false, pumping_ = false, draining_ = false, over_ = false;
};

}  // namespace holdfast::smtpd
