#include <algorithm>

#include "common/ipc/connection.h"

namespace holdfast::ipc {
namespace {

constexpr net::Millis kFirstRetry{100}, kLastRetry{1000}, kConnectTimeout{5000};

}  // namespace

struct Client::Impl {
  Impl(net::Loop& l, std::string p, Hello s, ChannelHandler& h)
      : loop(l), path(std::move(p)), self(std::move(s)), handler(h), again(l, [this] { connect(); }) {}

  void connect() {
    auto address = net::SocketAddress::unix_path(path);
    if (!address) return;  // master has bound the same path before: it fits
    connection = std::make_unique<Connection>(
        self, Connection::Events{.peer =
                                     [this] {
                                       wait = kFirstRetry;
                                       handler.on_peer(*connection);
                                     },
                                 .message = [this](const Incoming& m) { return handler.on_message(*connection, m); },
                                 .gone = [this] { gone(); }});
    connection->attach(net::Stream::connect(loop, *address, kConnectTimeout, *connection));
  }

  void gone() {
    const bool was_greeted = connection->greeted();
    auto grave = std::move(connection);
    if (was_greeted) handler.on_gone(*grave);
    loop.bury(std::move(grave));
    again.start(wait);
    wait = std::min(wait * 2, kLastRetry);
  }

  net::Loop& loop;
  std::string path;
  Hello self;
  ChannelHandler& handler;
  net::Timer again;
  net::Millis wait = kFirstRetry;
  std::unique_ptr<Connection> connection;
};

Client::Client(net::Loop& loop, const std::string& path, Hello self, ChannelHandler& handler)
    : impl_(std::make_shared<Impl>(loop, path, std::move(self), handler)) {}

Client::~Client() = default;

void Client::start() { impl_->connect(); }

Channel* Client::channel() {
  return impl_->connection && impl_->connection->greeted() ? impl_->connection.get() : nullptr;
}

}  // namespace holdfast::ipc
