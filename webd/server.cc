#include "webd/server.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <fmt/core.h>
#include <sys/socket.h>

#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::webd {
namespace {

constexpr base::Millis kLook{5'000};
constexpr int kStall = 30;  // seconds in which nothing moves

const char* method_text(evhttp_cmd_type type) {
  switch (type) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_HEAD: return "HEAD";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_DELETE: return "DELETE";
    default: return "";
  }
}

const char* reason_text(int status) {
  switch (status) {
    case 200: return "OK";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 429: return "Too Many Requests";
    case 503: return "Service Unavailable";
    default: return "Error";
  }
}

Request read_request(evhttp_request* raw, bool secure) {
  Request out;
  out.secure = secure;
  out.method = method_text(evhttp_request_get_command(raw));
  const char* target = evhttp_request_get_uri(raw);
  out.target = target == nullptr ? "" : target;
  const evkeyvalq* headers = evhttp_request_get_input_headers(raw);
  for (const evkeyval* h = headers->tqh_first; h != nullptr; h = h->next.tqe_next) {
    out.headers.emplace(base::to_lower(h->key), h->value);
  }
  evbuffer* body = evhttp_request_get_input_buffer(raw);
  out.body.resize(evbuffer_get_length(body));
  evbuffer_remove(body, out.body.data(), out.body.size());
  char* address = nullptr;
  std::uint16_t port = 0;
  evhttp_connection_get_peer(evhttp_request_get_connection(raw), &address, &port);
  out.address = address == nullptr ? "" : address;
  if (out.address.starts_with("::ffff:")) out.address.erase(0, 7);
  return out;
}

int descriptor_of(evhttp_request* raw) {
  return bufferevent_getfd(evhttp_connection_get_bufferevent(evhttp_request_get_connection(raw)));
}

}  // namespace

Exchange::Exchange(evhttp_request* raw, bool secure, std::shared_ptr<Connections> connections)
    : raw_(raw), connections_(std::move(connections)), fd_(descriptor_of(raw)), request_(read_request(raw, secure)) {
  connections_->busy(fd_, true);
  evhttp_connection_set_closecb(evhttp_request_get_connection(raw_), closed, this);
}

Exchange::~Exchange() {
  if (raw_ != nullptr) answer(error_response(503, "unavailable", "webd is ending"));
}

void Exchange::closed(evhttp_connection*, void* self) {
  auto* exchange = static_cast<Exchange*>(self);
  // A request that waits for its answer is taken off a connection that fails, and is ours then to free.
  if (evhttp_request_get_connection(exchange->raw_) == nullptr) evhttp_request_free(exchange->raw_);
  exchange->raw_ = nullptr;
  if (const auto closed = std::move(exchange->closed_)) closed();
}

void Exchange::let_go() {
  evhttp_connection_set_closecb(evhttp_request_get_connection(raw_), nullptr, nullptr);
  connections_->busy(fd_, false);
  raw_ = nullptr;
}

void Exchange::add_headers(const Response& response) {
  evkeyvalq* out = evhttp_request_get_output_headers(raw_);
  if (!response.type.empty()) evhttp_add_header(out, "Content-Type", response.type.c_str());
  bool cached = false;
  for (const auto& [name, value] : response.headers) {
    evhttp_add_header(out, name.c_str(), value.c_str());
    cached = cached || name == "Cache-Control";
  }
  if (!cached) evhttp_add_header(out, "Cache-Control", "no-store");
  for (const auto& [name, value] : safety_headers(request_.secure)) evhttp_add_header(out, name.c_str(), value.c_str());
}

void Exchange::answer(const Response& response) {
  if (raw_ == nullptr) return;
  add_headers(response);
  evbuffer* body = evbuffer_new();
  evbuffer_add(body, response.body.data(), response.body.size());
  evhttp_request* raw = raw_;
  let_go();
  evhttp_send_reply(raw, response.status, reason_text(response.status), body);
  evbuffer_free(body);
}

void Exchange::begin_stream(const std::string& type, std::function<void()> closed) {
  if (raw_ == nullptr) return;
  closed_ = std::move(closed);
  add_headers({.type = type});
  evhttp_send_reply_start(raw_, 200, "OK");
}

void Exchange::send(const std::string& bytes) {
  if (raw_ == nullptr) return;
  evbuffer* chunk = evbuffer_new();
  evbuffer_add(chunk, bytes.data(), bytes.size());
  evhttp_send_reply_chunk(raw_, chunk);
  evbuffer_free(chunk);
}

std::size_t Exchange::unsent() const {
  if (raw_ == nullptr) return 0;
  bufferevent* stream = evhttp_connection_get_bufferevent(evhttp_request_get_connection(raw_));
  return evbuffer_get_length(bufferevent_get_output(stream));
}

void Exchange::end_stream() {
  if (raw_ == nullptr) return;
  closed_ = {};
  evhttp_request* raw = raw_;
  let_go();
  evhttp_send_reply_end(raw);
}

Server::Server(net::Loop& loop, Handler handler)
    : loop_(loop),
      handler_(std::move(handler)),
      http_(evhttp_new(loop.raw())),
      connections_(std::make_shared<Connections>(kMostConnections, base::Seconds{kIdleSeconds})),
      guard_timer_(loop, [this] { look_after(); }) {
  base::expect(http_ != nullptr, "evhttp cannot be made");
  evhttp_set_allowed_methods(http_, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_DELETE);
  evhttp_set_max_headers_size(http_, kMostHeaders);
  evhttp_set_max_body_size(http_, kMostBody);
  evhttp_set_timeout(http_, kStall);
  evhttp_set_default_content_type(http_, nullptr);
  evhttp_set_bevcb(http_, make_stream, this);
  evhttp_set_gencb(http_, on_request, this);
  guard_timer_.every(kLook);
}

Server::~Server() { evhttp_free(http_); }

void Server::listen(std::vector<base::UniqueFd> sockets) {
  for (auto* socket : sockets_) evhttp_del_accept_socket(http_, socket);
  sockets_.clear();
  for (auto& fd : sockets) {
    auto* bound = evhttp_accept_socket_with_handle(http_, fd.get());
    if (bound == nullptr) {
      base::log().error("a listening socket cannot be used");
      continue;
    }
    fd.release();  // evhttp closes it
    sockets_.push_back(bound);
  }
}

bufferevent* Server::make_stream(event_base* base, void* self) {
  auto* server = static_cast<Server*>(self);
  if (!server->connections_->one_more()) server->loop_.later([server] { server->look_after(); });
  if (server->tls_ == nullptr) return bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
  bufferevent* out = bufferevent_openssl_socket_new(base, -1, server->tls_->new_session(), BUFFEREVENT_SSL_ACCEPTING,
                                                    BEV_OPT_CLOSE_ON_FREE);
  if (out != nullptr) bufferevent_openssl_set_allow_dirty_shutdown(out, 1);
  return out;
}

void Server::on_request(evhttp_request* raw, void* self) {
  auto* server = static_cast<Server*>(self);
  std::shared_ptr<Exchange> exchange(new Exchange(raw, server->tls_ != nullptr, server->connections_));
  auto target = parse_target(exchange->request_.target);
  if (!target || exchange->request_.method.empty()) {
    return exchange->answer(error_response(400, "usage", "that is no request"));
  }
  exchange->request_.path = std::move(target->path);
  exchange->request_.query = std::move(target->query);
  server->handler_(std::move(exchange));
}

// Ends those who take too long, and takes nobody while there are too many.
void Server::look_after() { set_accepting(connections_->look(base::mono_now())); }

void Server::set_accepting(bool accepting) {
  if (accepting == accepting_) return;
  accepting_ = accepting;
  if (!accepting) base::log().warning(fmt::format("{} connections: no more are taken for now", kMostConnections));
  for (auto* socket : sockets_) {
    evconnlistener* listener = evhttp_bound_socket_get_listener(socket);
    accepting ? evconnlistener_enable(listener) : evconnlistener_disable(listener);
  }
}

}  // namespace holdfast::webd
