#include "gatewayctl/domain_check.h"

#include <algorithm>
#include <memory>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "common/base/network.h"
#include "common/base/text.h"
#include "common/destination/name_servers.h"
#include "common/destination/ourselves.h"
#include "common/dns/resolver.h"
#include "common/net/loop.h"

namespace holdfast::gatewayctl {
namespace {

using Result = Finding::Result;

constexpr std::uint16_t kSmtp = 25;
// Hosts of one of these most likely share a router and a power supply.
constexpr int kSiteOfV4 = 24, kSiteOfV6 = 48;

std::string host_text(const MxHost& host) {
  std::vector<std::string> addresses;
  for (const auto& address : host.addresses) addresses.push_back(address.host());
  return fmt::format("{} {}{}{}", host.mx.preference, host.mx.host, addresses.empty() ? "" : fmt::format(" [{}]", fmt::join(addresses, " ")),
                     host.ours ? " (this host)" : "");
}

Finding records(const std::vector<MxHost>& hosts) {
  std::vector<std::string> texts;
  for (const auto& host : hosts) texts.push_back(host_text(host));
  return {.server = {}, .step = "MX", .result = Result::kPass, .text = fmt::format("{}", fmt::join(texts, ", "))};
}

Finding names_us(const std::vector<MxHost>& hosts, const std::string& hostname) {
  Finding out{.server = {}, .step = "this host", .result = Result::kPass, .text = {}};
  const auto ours = std::ranges::find_if(hosts, &MxHost::ours);
  if (ours == hosts.end()) {
    out.result = Result::kFail;
    out.text = fmt::format("none of them is {} or an address we listen on: the world's mail does not come here", hostname);
  } else {
    const bool first = std::ranges::all_of(hosts, [&](const MxHost& h) { return h.ours || h.mx.preference >= ours->mx.preference; });
    out.text = fmt::format("{} is us, {}", ours->mx.host, first ? "and the first that is tried" : "tried after others");
  }
  return out;
}

Finding resolvable(const std::vector<MxHost>& hosts) {
  Finding out{.server = {}, .step = "addresses", .result = Result::kPass, .text = "each MX has one"};
  std::vector<std::string> without;
  for (const auto& host : hosts) {
    if (host.addresses.empty()) without.push_back(host.mx.host + (host.failed ? " (nobody could say)" : ""));
  }
  if (without.empty()) return out;
  out.result = without.size() == hosts.size() ? Result::kFail : Result::kWarn;
  out.text = fmt::format("none of {}", fmt::join(without, ", "));
  return out;
}

Finding sites(const std::vector<MxHost>& hosts) {
  std::set<std::string> seen;
  for (const auto& host : hosts) {
    for (const auto& address : host.addresses) seen.insert(base::Network::around(address.ip_address(), kSiteOfV4, kSiteOfV6).first.text());
  }
  if (hosts.size() >= 2 && seen.size() >= 2) {
    return {.server = {}, .step = "two sites", .result = Result::kPass, .text = fmt::format("{} hosts in {} networks", hosts.size(), seen.size())};
  }
  return {.server = {}, .step = "two sites", .result = Result::kWarn,
          .text = "less than two MX on different networks: while this site is off, senders' own queues are all that keeps the mail"};
}

class Run {
 public:
  Run(const config::Config& config, std::string domain, const std::function<void(const Finding&)>& tell)
      : config_(config), domain_(std::move(domain)), tell_(tell), ourselves_(destination::ourselves(config)),
        resolver_(std::make_unique<dns::Resolver>(loop_, dns::ResolverOptions{.servers = destination::name_servers(config.resolvers)})) {}

  bool go() {
    resolver_->mx(domain_, [this](dns::Answer<dns::Mx> answer) {
      answer_ = std::move(answer);
      for (const auto& mx : answer_.found) hosts_.push_back({.mx = mx, .addresses = {}});
      next();
    });
    loop_.run();
    bool good = true;
    for (const auto& finding : judge_mx(answer_, hosts_, config_.hostname)) {
      good = good && finding.result != Result::kFail;
      tell_(finding);
    }
    return good;
  }

 private:
  void next() {
    if (at_ == hosts_.size()) return loop_.stop();
    resolver_->addresses(hosts_[at_].mx.host, kSmtp, [this](dns::Answer<net::SocketAddress> answer) {
      MxHost& host = hosts_[at_++];
      host.failed = answer.status == dns::Status::kFailed;
      host.addresses = std::move(answer.found);
      host.ours = std::ranges::any_of(ourselves_.names, [&](const std::string& name) { return base::iequals(name, host.mx.host); }) ||
                  std::ranges::any_of(host.addresses, ourselves_.listens_on);
      next();
    });
  }

  const config::Config& config_;
  const std::string domain_;
  const std::function<void(const Finding&)>& tell_;
  const dns::Ourselves ourselves_;
  net::Loop loop_;
  std::unique_ptr<dns::Resolver> resolver_;
  dns::Answer<dns::Mx> answer_;
  std::vector<MxHost> hosts_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Finding> judge_mx(const dns::Answer<dns::Mx>& answer, const std::vector<MxHost>& hosts, const std::string& hostname) {
  const auto only = [](Result result, std::string text) {
    return std::vector<Finding>{{.server = {}, .step = "MX", .result = result, .text = std::move(text)}};
  };
  if (answer.status == dns::Status::kFailed) return only(Result::kFail, "nobody could say: " + answer.why);
  if (answer.status == dns::Status::kNoName) return only(Result::kFail, "the domain does not exist in the DNS");
  if (hosts.empty()) return only(Result::kFail, "there are none: senders try the domain's own address, if it has one");
  if (std::ranges::all_of(hosts, [](const MxHost& h) { return h.mx.host.empty(); })) {
    return only(Result::kFail, "the domain says that it takes no mail (RFC 7505)");
  }
  return {records(hosts), names_us(hosts, hostname), resolvable(hosts), sites(hosts)};
}

bool run_domain_check(const config::Config& config, const std::string& domain, const std::function<void(const Finding&)>& tell) {
  return Run(config, domain, tell).go();
}

}  // namespace holdfast::gatewayctl
