// HTTP/1.1 by libevent's evhttp, in the clear or by TLS: the only file pair of Holdfast that sees evhttp. Requests are
// bounded in size and number, slow clients are ended. All of it belongs to the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/net/loop.h"
#include "common/net/https.h"
#include "webd/connections.h"
#include "webd/http.h"

struct bufferevent;
struct event_base;
struct evhttp;
struct evhttp_bound_socket;
struct evhttp_connection;
struct evhttp_request;

namespace holdfast::webd {

// One request that waits for its answer. Keep it as long as that may come; the client may go away before.
class Exchange {
 public:
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const Request& request() const { return request_; }
  bool gone() const { return raw_ == nullptr; }  // the client, or everything was said
  // Once. Safety headers are added.
  void answer(const Response& response);

  // Instead of answer(): an answer without an end. `closed` is called when the client has gone.
  void begin_stream(const std::string& type, std::function<void()> closed);
  void send(const std::string& bytes);
  std::size_t unsent() const;  // bytes the client has not taken
  void end_stream();

 private:
  friend class Server;
  Exchange(evhttp_request* raw, bool secure, std::shared_ptr<Connections> connections);
  static void closed(evhttp_connection*, void* self);
  void add_headers(const Response& response);
  void let_go();

  evhttp_request* raw_;
  std::shared_ptr<Connections> connections_;
  int fd_;
  Request request_;
  std::function<void()> closed_;
};

class Server {
 public:
  static constexpr std::size_t kMostConnections = 256;
  static constexpr std::size_t kMostHeaders = 32 << 10, kMostBody = 1 << 20;
  static constexpr int kIdleSeconds = 60;  // for a whole request to come, and between two

  using Handler = std::function<void(std::shared_ptr<Exchange>)>;
  Server(net::Loop& loop, Handler handler);
  ~Server();

  // These sockets instead of those before.
  void listen(std::vector<base::UniqueFd> sockets);
  // For connections from now on; null: in the clear.
  void set_tls(std::shared_ptr<const net::Https> tls) { tls_ = std::move(tls); }

 private:
  static void on_request(evhttp_request* raw, void* self);
  static bufferevent* make_stream(event_base* base, void* self);
  void look_after();
  void set_accepting(bool accepting);

  net::Loop& loop_;
  Handler handler_;
  std::shared_ptr<const net::Https> tls_;
  evhttp* http_;
  std::vector<evhttp_bound_socket*> sockets_;
  std::shared_ptr<Connections> connections_;
  net::Timer guard_timer_;
  bool accepting_ = true;
};

}  // namespace holdfast::webd
