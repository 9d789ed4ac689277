// A pool of connections for each destination, within this worker's share of max_connections.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/config/config.h"
#include "common/destination/mx_routes.h"
#include "common/mail/destination_state.h"
#include "common/net/loop.h"
#include "common/net/resolver.h"
#include "common/upstream/pool.h"
#include "smtpd/address_book.h"
#include "smtpd/prober_link.h"

namespace holdfast::smtpd {

// Connections of one of `workers` to a destination: deliver has half of them while the queue is handed
// over and a quarter else, the workers share the rest.
int connection_share(int max_connections, mail::DestinationState state, int workers);

class Pools {
 public:
  Pools(net::Loop& loop, AddressBook& book, ProberLink& prober, int workers);

  // The pool of a destination, its limit set for `state`. Keep it as long as a transaction lasts: a reload
  // may have let go of it.
  std::shared_ptr<upstream::Pool> of(const config::Destination& destination, mail::DestinationState state);
  // Pools of destinations that are gone or have other servers end with their last transaction.
  void reload(const config::ConfigPtr& config);

 private:
  struct Entry {
    std::shared_ptr<upstream::Pool> pool;
    mail::DestinationState state = mail::DestinationState::kUp;
    int max_connections = 0;
  };
  Entry make(const config::Destination& destination);

  net::Loop& loop_;
  AddressBook& book_;
  ProberLink& prober_;
  const int workers_;
  net::Resolver resolver_;
  std::shared_ptr<destination::MxRoutes> routes_;
  std::map<std::string, Entry, std::less<>> pools_;
};

}  // namespace holdfast::smtpd
