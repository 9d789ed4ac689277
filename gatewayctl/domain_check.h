// gatewayctl domain check: does the world send a domain's mail to this host, and what if this host is down?
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/destination/dest_test.h"
#include "common/dns/answers.h"
#include "common/net/address.h"

namespace holdfast::gatewayctl {

using destination::Finding;

struct MxHost {
  dns::Mx mx;
  std::vector<net::SocketAddress> addresses;
  bool failed = false;  // nobody could say
  bool ours = false;    // its name, or one of its addresses
};

// What the MX records come to. Pure.
std::vector<Finding> judge_mx(const dns::Answer<dns::Mx>& answer, const std::vector<MxHost>& hosts, const std::string& hostname);

// Asks the DNS as the configuration says. Blocks. True: nothing has failed.
bool run_domain_check(const config::Config& config, const std::string& domain, const std::function<void(const Finding&)>& tell);

}  // namespace holdfast::gatewayctl
