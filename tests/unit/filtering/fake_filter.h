// A filter on loopback, inside the test's own loop, that answers what it is told to answer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/milter/packet.h"
#include "common/net/loop.h"
#include "common/net/stream.h"

namespace holdfast::filtering::test {

// A packet, and several of them behind one another.
std::string packet(char kind, std::string_view data = {});
std::string text(std::string_view words);  // with its NUL byte

class FakeFilter {
 public:
  explicit FakeFilter(net::Loop& loop);
  ~FakeFilter();

  net::SocketAddress address() const { return address_; }
  void cut();     // all connections, and takes no more

  // What it answers to a packet: bytes, maybe none. Asked first; nothing: "go on" where an answer is due.
  std::function<std::optional<std::string>(char kind, std::string_view data)> answer;
  std::uint32_t actions = 0x1FF, steps = 0;  // that it negotiates
  bool reads = true;                         // false: takes no byte once it has negotiated

  int connections = 0;
  std::string stages;                 // the packets' kinds, in their order, but for macros: "CHMRTLLNBE"
  std::vector<std::string> headers;   // "Name: value"
  std::string body;
  std::vector<std::string> told;      // data of C, H, M and R, NUL bytes as '|'
  std::vector<std::string> macros;    // data of D likewise

 private:
  struct Session;
  void take(Session& session, char kind, std::string_view data);

  net::Loop& loop_;
  net::SocketAddress address_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

}  // namespace holdfast::filtering::test
