// One client of smtp-load: a connection after the other, a command at a time, as Postfix's smtp-source does it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/time.h"
#include "common/net/address.h"
#include "common/net/loop.h"
#include "common/net/stream.h"
#include "common/smtp/client_session.h"

namespace holdfast::bench {

// A message to be sent: to whom, and since when it should be under way (latency counts from there).
struct Task {
  std::string recipient;
  base::Mono due{};
};

class LoadClient final : private net::StreamHandler {
 public:
  struct Manner {
    net::SocketAddress server;
    std::string sender, content;  // content in wire format
    std::size_t per_connection = 1;
    base::Millis patience{60'000};  // for each answer
  };
  struct Hooks {
    std::function<std::optional<Task>()> next;  // another message for a connection that is open
    // `problem` is empty when the message was answered 2xx, else the reply, or what became of the connection.
    std::function<void(const Task&, const std::string& problem)> done;
    std::function<void()> idle;                 // the connection is over: start() may be called, soon but not at once
  };
  LoadClient(net::Loop& loop, const Manner& manner, Hooks hooks);
  ~LoadClient() override;

  void start(Task task);

 private:
  void on_data(std::string_view bytes) override;
  void on_end(std::string_view reason) override;
  void on_reply(const smtp::ClientEvent& event);
  void proceed(smtp::ClientCommand answered);
  void next_message();
  void settle(const std::string& problem);
  void leave();
  void over(const std::string& problem);

  net::Loop& loop_;
  const Manner& manner_;
  const Hooks hooks_;
  std::unique_ptr<net::Stream> stream_;
  std::optional<smtp::ClientSession> session_;
  std::optional<Task> task_;
  std::size_t sent_ = 0;  // on this connection
};

}  // namespace holdfast::bench
