#include "common/destination/mx_pool.h"

#include <utility>

#include "common/destination/security.h"

namespace holdfast::destination {
namespace {

// What one pool's acquisitions share.
struct State {
  net::Loop& loop;
  net::Resolver& addresses;
  std::string domain;
  upstream::PoolOptions options;
  upstream::PoolCallbacks callbacks;
  std::shared_ptr<const dns::MailRoute> route;  // that `pool` was made for
  std::shared_ptr<upstream::Pool> pool;
  std::weak_ptr<upstream::Pool> outer;  // whose limit counts
};

// What the domain name system says of a domain that we were told to relay for is never the end of a message:
// a mistaken zone is mended, a bounce is not (decision 13).
upstream::AcquireFailure failure_of(const dns::Refusal& refusal) {
  return {.stage = mail::Stage::kConnect, .reason = refusal.text, .relay = "none", .dsn = "4.4.3"};
}

std::shared_ptr<upstream::Pool> pool_for(State& state, const std::shared_ptr<const dns::MailRoute>& route) {
  if (state.pool && state.route == route) return state.pool;
  state.route = route;
  upstream::PoolOptions options = state.options;
  options.servers = server_names(*route, state.domain, options.security);
  if (const auto outer = state.outer.lock()) options.limit = outer->options().limit;
  state.pool = std::make_shared<upstream::Pool>(state.loop, state.addresses, std::move(options), state.callbacks);
  return state.pool;
}

}  // namespace

std::vector<upstream::ServerName> server_names(const dns::MailRoute& route, const std::string& domain,
                                               const std::shared_ptr<const upstream::Security>& usual) {
  std::vector<upstream::ServerName> out;
  for (const auto& server : route.servers) {
    out.push_back({.host = server.address.host(),
                   .port = server.address.port(),
                   .text = server.address.text(),
                   .name = server.host,
                   .rank = server.preference + 1,
                   .security = dane_security(usual, server, domain)});
  }
  return out;
}

std::shared_ptr<upstream::Pool> mx_pool(net::Loop& loop, net::Resolver& addresses, std::shared_ptr<MxRoutes> routes,
                                        const config::Destination& destination, upstream::PoolOptions options,
                                        upstream::PoolCallbacks callbacks) {
  const auto state = std::make_shared<State>(loop, addresses, destination.mx_domain, options, std::move(callbacks));
  auto find = [routes = std::move(routes), domain = destination.mx_domain, port = destination.mx_port,
               dane = wants_dane(destination), state](upstream::Pool::Found found) {
    routes->find({domain, port, dane}, [state, found = std::move(found)](const Route& route) {
      if (route) {
        found(pool_for(*state, *route));
      } else {
        found(std::unexpected(failure_of(route.error())));
      }
    });
  };
  const auto made = std::make_shared<upstream::Pool>(loop, addresses, std::move(find), std::move(options));
  state->outer = made;
  return made;
}

}  // namespace holdfast::destination
