// The running sink: listening sockets, sessions, signals, and words from its standard input and its control
// socket.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "common/net/loop.h"
#include "common/net/stream.h"
#include "common/smtp/server_session.h"
#include "gatewayctl/sink_rules.h"
#include "gatewayctl/sink_session.h"
#include "gatewayctl/sink_store.h"

namespace holdfast::gatewayctl::sink {

struct Options {
  std::vector<std::string> listen;  // "127.0.0.1:2526", "[::1]:0"
  std::vector<std::string> rules;
  std::string control;  // the path of a Unix socket; empty: none
  Store::Options store;
  smtp::ServerOptions smtp;
};

class Server;

// Lines of words, one answer line each ("ok" or "error: …"), from standard input or a control connection:
//   a rule (sink_rules.h); reset (forgets all rules); counts; down; up; quit
class Console final : private net::StreamHandler {
 public:
  Console(Server& server, net::Loop& loop, base::UniqueFd fd, std::function<void()> ended);

 private:
  void on_data(std::string_view bytes) override;
  void on_end(std::string_view) override { ended_(); }

  Server& server_;
  std::string pending_;
  std::function<void()> ended_;
  net::Stream stream_;
};

class Server {
 public:
  explicit Server(Options options);
  ~Server();

  // Reads the rules and opens the sockets.
  base::Status start();
  // Prints "listening on ADDRESS:PORT" for each socket, serves until it is told to end, prints the counts.
  void serve();
  // Where it listens, with the ports that were given.
  const std::vector<net::SocketAddress>& addresses() const { return addresses_; }

  // The answer to one line of words.
  std::string obey(std::string_view words);

 private:
  base::Status listen();
  base::Status listen_for_control();
  void unlisten();
  void toggle();
  void read_standard_input();
  void accepted(base::UniqueFd fd, const net::SocketAddress& peer);
  void control_accepted(base::UniqueFd fd);
  void print_counts() const;

  Options options_;
  net::Loop loop_;
  Rules rules_;
  Store store_;
  std::vector<net::SocketAddress> addresses_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;  // empty while down
  std::unique_ptr<net::Listener> control_;
  std::list<std::unique_ptr<Session>> sessions_;
  std::list<std::unique_ptr<Console>> consoles_;
  std::unique_ptr<net::Watch> input_;
  std::string input_pending_;
  std::vector<std::unique_ptr<net::Signal>> signals_;
};

}  // namespace holdfast::gatewayctl::sink
