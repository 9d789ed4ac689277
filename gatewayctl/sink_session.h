// One client of the sink: the protocol core on a stream, and the rules between them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/net/stream.h"
#include "common/smtp/server_session.h"
#include "gatewayctl/sink_rules.h"
#include "gatewayctl/sink_store.h"

namespace holdfast::gatewayctl::sink {

class Session final : private net::StreamHandler {
 public:
  // `ended` is called once, when the connection is over; it may destroy the Session only later (Loop::later).
  // Rules and store outlive it.
  Session(net::Loop& loop, base::UniqueFd fd, const net::SocketAddress& peer, const smtp::ServerOptions& options,
          Rules& rules, Store& store, std::function<void()> ended);
  ~Session() override;

  void start() { pump(); }
  // Closes the connection at once; `ended` is not called.
  void cut();

 private:
  void on_data(std::string_view bytes) override;
  void on_end(std::string_view reason) override;
  void on_sent() override { pump(); }

  void pump();
  void on(const smtp::event::Connect&);
  void on(const smtp::event::Helo& event);
  void on(const smtp::event::Mail& event);
  void on(const smtp::event::Rcpt& event);
  void on(const smtp::event::Data&);
  void on(const smtp::event::Content& event);
  void on(const smtp::event::ContentEnd& event);
  void on(const smtp::event::Reset&) { forget(); }
  void on(const smtp::event::Quit&) {}
  void on(const smtp::event::Rejected&) {}
  void on(const smtp::event::StartTls&) {}  // neither is offered
  void on(const smtp::event::Xclient&) {}

  void act(Stage stage, const std::vector<std::string>& recipients);
  void accept();
  void stall(const std::optional<base::Millis>& wait);
  void drop();
  void forget();
  void end();

  Rules& rules_;
  Store& store_;
  smtp::ServerSession core_;
  Received message_;
  std::string recipient_;  // the one that RCPT named just now
  Stage stage_ = Stage::kConnect;
  bool stalled_ = false;  // nothing moves until the timer, or for ever
  bool over_ = false;
  std::function<void()> ended_;
  net::Timer timer_;
  net::Stream stream_;
};

}  // namespace holdfast::gatewayctl::sink
