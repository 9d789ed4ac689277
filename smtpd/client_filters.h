// The filters of one client's session (decision 20): which are asked after a domain's mail, and their connections, which
// live as long as the session does and the client stays the same.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/filtering/filter_chain.h"
#include "common/scanning/filters_of.h"
#include "smtpd/shared.h"

namespace holdfast::smtpd {

// Whether who came to `local` came by one of these (as HostPort::text() has them); none: all. Pure.
bool came_by(const std::vector<std::string>& listeners, const net::SocketAddress& local);

class ClientFilters {
 public:
  // Places in Config::filters, ascending.
  using Set = scanning::Set;

  // `local` is the address that the client came to. `client` outlives this.
  ClientFilters(Shared& shared, const Client& client, net::SocketAddress local);

  Set asked_after(const config::Config& config, const config::Domain& domain) const;
  // Where the client came to, as the filters' `listeners` have it.
  std::string listener() const { return local_.text(); }
  // Connected at its first question. The one that was given before is gone if it had other filters, or another configuration.
  filtering::FilterChain& chain(const config::ConfigPtr& config, const Set& set);
  // The client is another, or says another name: the filters hear of it anew. No transaction may be open.
  void forget() { chain_.reset(); }

 private:
  Shared& shared_;
  const Client& client_;
  const net::SocketAddress local_;
  config::ConfigPtr config_;
  Set set_;
  std::unique_ptr<filtering::FilterChain> chain_;
};

}  // namespace holdfast::smtpd
