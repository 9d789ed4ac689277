// A pool of connections to the mail servers of one domain (mx_domain): those that the domain name system names now.
#pragma once

#include <memory>
#include <string>

#include "common/destination/mx_routes.h"
#include "common/net/resolver.h"
#include "common/upstream/pool.h"

namespace holdfast::destination {

// Equal preference is equal rank: the pool chooses by chance. `usual`: how connections are secured where DANE is silent.
std::vector<upstream::ServerName> server_names(const dns::MailRoute& route, const std::string& domain,
                                               const std::shared_ptr<const upstream::Security>& usual);

// `options` as for fixed servers, without any; `addresses` resolves nothing but literals. When the servers are
// others than before, connections to the old ones end as they come back. Both references outlive the pool.
std::shared_ptr<upstream::Pool> mx_pool(net::Loop& loop, net::Resolver& addresses, std::shared_ptr<MxRoutes> routes,
                                        const config::Destination& destination, upstream::PoolOptions options,
                                        upstream::PoolCallbacks callbacks);

}  // namespace holdfast::destination
