#include <list>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/ipc/connection.h"
#include "common/ipc/peer.h"

namespace holdfast::ipc {

struct Server::Impl {
  struct Peer {
    std::unique_ptr<Connection> connection;
  };

  void accept(base::UniqueFd fd) {
    const auto uid = peer_uid(fd.get());
    const bool webd = is_webd(fd.get(), path.substr(0, path.rfind('/')));
    if (!uid || !(may_speak(*uid) || webd)) {
      base::log().warning(fmt::format("a connection of uid {} is refused", uid ? static_cast<long>(*uid) : -1L));
      return;
    }
    const auto at = peers.insert(peers.end(), Peer{});
    at->connection = std::make_unique<Connection>(
        self, Connection::Events{.peer = [this, at] { handler.on_peer(*at->connection); },
                                 .message = [this, at](const Incoming& m) { return handler.on_message(*at->connection, m); },
                                 .gone = [this, at] { gone(at); }},
        may_command(*uid) || webd);
    at->connection->attach(std::make_unique<net::Stream>(loop, std::move(fd), *at->connection));
  }

  void gone(std::list<Peer>::iterator at) {
    if (at->connection->greeted()) handler.on_gone(*at->connection);
    loop.bury(std::move(at->connection));
    peers.erase(at);
  }

  net::Loop& loop;
  std::string path;
  Hello self;
  ChannelHandler& handler;
  std::unique_ptr<net::Listener> listener;
  std::list<Peer> peers;
};

Server::Server(net::Loop& loop, const std::string& path, Hello self, ChannelHandler& handler)
    : impl_(new Impl{loop, path, std::move(self), handler, nullptr, {}}) {}

Server::~Server() = default;

base::Status Server::start() {
  auto address = net::SocketAddress::unix_path(impl_->path);
  if (!address) return std::unexpected(address.error());
  auto fd = net::listen_on(*address);
  if (!fd) return std::unexpected(fd.error());
  impl_->listener = std::make_unique<net::Listener>(
      impl_->loop, std::move(*fd), [impl = impl_.get()](base::UniqueFd client, const net::SocketAddress&) {
        impl->accept(std::move(client));
      });
  return {};
}

void Server::broadcast_frame(Type type, std::string_view body) {
  for (auto& peer : impl_->peers) {
    if (peer.connection->greeted()) peer.connection->send_frame(type, body);
  }
}

}  // namespace holdfast::ipc
