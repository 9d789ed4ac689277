// A destination on loopback, inside the test's own loop, that says what it is told to say.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/net/loop.h"
#include "common/net/stream.h"

namespace holdfast::test {

// Runs a loop until something is true.
class Bench {
 public:
  Bench();
  // False when it did not become true within `limit`.
  bool until(std::function<bool()> truth, net::Millis limit = net::Millis{5'000});
  net::Loop loop;

 private:
  std::function<bool()> truth_;
  bool held_ = false;
  std::unique_ptr<net::Timer> guard_, tick_;
};

class ScriptedServer {
 public:
  // As a reply: says nothing at all; cuts the connection.
  static constexpr const char* kSilence = "";
  static constexpr const char* kCut = "!";

  explicit ScriptedServer(net::Loop& loop, std::uint16_t port = 0);
  ~ScriptedServer();

  std::uint16_t port() const { return port_; }
  net::SocketAddress address() const;
  void stop();  // the port refuses; connections stay
  void cut();   // all connections

  // Replies by the first word of a line, "banner" and "." among them; without CRLF. A reply that begins
  // with "-" is said, then the connection is cut.
  std::map<std::string, std::string> replies;
  // Asked first, with the whole line: nothing means the replies above.
  std::function<std::optional<std::string>(const std::string& line)> judge;
  std::shared_ptr<const net::TlsServer> tls;  // shown behind a 220 to STARTTLS
  std::string behind_starttls;                // put behind that 220, in the clear
  bool proxied = false;      // each connection must begin with a PROXY header
  std::vector<std::string> clients;  // that these named, "192.0.2.1:4321" or "local"
  bool read_content = true;  // false: after 354 nothing is read any more

  int connections = 0;
  int secured = 0;
  int open = 0;
  std::vector<std::string> lines;      // all that was said to it, of all connections
  std::vector<std::string> messages;   // contents as they came, without the final dot
  std::size_t most_lines_at_once = 0;  // in one read: pipelining
  std::size_t count(const std::string& word) const;
  void say(const std::string& line);  // unasked, on every connection

 private:
  struct Session;
  void take(Session& session, std::string_view bytes);
  bool read_header(Session& session);
  void on_line(Session& session, std::string line);
  void answer(Session& session, const std::string& reply);
  void remove(Session& session);

  net::Loop& loop_;
  std::uint16_t port_ = 0;
  int listening_ = -1;  // the listener's own
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

}  // namespace holdfast::test
