// One connection of a pool through all its uses: being made, leased, cleaned by a RSET, idle. Private to
// common/upstream.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/time.h"
#include "common/upstream/connection.h"
#include "common/upstream/pool.h"

namespace holdfast::upstream {

class Link final : public ConnectionHandler, public std::enable_shared_from_this<Link> {
 public:
  // What the pool wants to know. A link calls it only while its pool lives.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_made(Link& link) = 0;                              // ready: lease it or let it idle
    virtual void on_not_made(Link& link, const Failure& failure) = 0;  // and gone
    virtual void on_free(Link& link) = 0;                              // given back, clean
    virtual void on_gone(Link& link) = 0;                              // its connection has ended
    virtual void on_observed(Link& link, bool ok, mail::Stage stage, int code, std::string_view reason,
                             bool reused) = 0;
    virtual bool wanted(const Link& link) const = 0;  // may it be kept open?
  };
  enum class State { kMaking, kLeased, kCleaning, kIdle, kGone };

  Link(net::Loop& loop, std::weak_ptr<Owner> owner, std::size_t server, ServerName name);
  void connect(const net::SocketAddress& to, const std::string& helo, const Timeouts& timeouts,
               const std::shared_ptr<const Security>& security, Opening opening = {});

  // Whether an idle one may be used for this client's mail: as it is, after XCLIENT, or not at all.
  enum class Fit { kNo, kTell, kYes };
  Fit fit(const ClientPtr& client) const;
  // As if it were made: on_made() or on_not_made() follows.
  void tell(ClientPtr client);

  void lease(bool reused);
  void rest(base::Mono now);
  void release();
  void drop();
  void quit();

  void set_user(ConnectionHandler& user);
  void report(bool ok, mail::Stage stage, int code, std::string_view reason);

  State state() const { return state_; }
  Connection& connection() { return *connection_; }
  const Connection& connection() const { return *connection_; }
  std::size_t server() const { return server_; }
  const ServerName& name() const { return name_; }
  const std::string& relay() const { return relay_; }
  const std::string& address() const { return address_; }
  bool reused() const { return reused_; }
  base::Mono idle_since() const { return idle_since_; }

  // Of the pool's, while the link is being made.
  std::weak_ptr<Pool::Waiting> waiter;
  bool telling = false;  // it is not new: an idle one learns whose mail comes
  bool hurried = false;  // given so little time that a time-out says nothing of the server

 private:
  void on_ready() override;
  void on_mail(const mail::Reply& reply) override;
  void on_rcpt(const mail::Reply& reply) override;
  void on_data_refused(const mail::Reply& reply) override;
  void on_sent(const mail::Reply& reply) override;
  void on_reset(const mail::Reply& reply) override;
  void on_failed(const Failure& failure) override;
  void note_closing(mail::Stage stage, const mail::Reply& reply);
  void gone();

  net::Loop& loop_;
  std::weak_ptr<Owner> owner_;
  std::size_t server_;
  ServerName name_;
  std::string relay_, address_;
  Manner::Tell tell_ = Manner::Tell::kNothing;
  std::unique_ptr<Connection> connection_;
  ConnectionHandler* user_ = nullptr;
  std::optional<Failure> kept_back_;  // came before set_user()
  State state_ = State::kMaking;
  bool reused_ = false;
  base::Mono idle_since_{};
};

}  // namespace holdfast::upstream
