// A client's connection: the protocol core on a stream, and its transaction.
#pragma once

#include <functional>
#include <memory>

#include "common/net/stream.h"
#include "common/smtp/server_session.h"
#include "smtpd/shared.h"
#include "smtpd/transaction.h"

namespace holdfast::smtpd {

class Session final : private net::StreamHandler {
 public:
  // `ended` is called once, when the connection is over or only its last bytes are still to be sent; it
  // may destroy the Session.
  Session(Shared& shared, base::UniqueFd fd, const net::SocketAddress& peer, std::function<void()> ended);
  ~Session() override;

  // Greets, or with `refusal` sends that and ends.
  void start(const std::optional<mail::Reply>& refusal = std::nullopt);
  // The daemon ends: now if nothing is under way, else after the transaction.
  void drain();

 private:
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
  void close(const mail::Reply& reply);
  bool congested();
  void flush();
  void end();

  void on_data(std::string_view bytes) override;
  void on_sent() override;
  void on_end(std::string_view reason) override;
  bool on_idle() override;

  Shared& shared_;
  Client client_;
  smtp::ServerSession core_;
  net::Stream stream_;
  std::unique_ptr<Transaction> transaction_;
  std::function<void()> ended_;
  bool pumping_ = false, draining_ = false, over_ = false;
};

}  // namespace holdfast::smtpd
