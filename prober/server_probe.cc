#include "prober/server_probe.h"

#include <algorithm>

namespace holdfast::prober {
namespace {

// More addresses of one name are not looked at.
constexpr std::size_t kMostAddresses = 8;

}  // namespace

ServerProbe::ServerProbe(net::Loop& loop, net::Resolver& resolver, config::HostPort server, ProbeSpec spec,
                         Owner& owner)
    : loop_(loop), server_(server.text()), spec_(std::move(spec)), owner_(owner) {
  resolver.resolve(server.host, server.port, [this, alive = alive_](auto result) {
    if (*alive) resolved(std::move(result));
  });
}

ServerProbe::~ServerProbe() { *alive_ = false; }

void ServerProbe::resolved(base::Result<std::vector<net::SocketAddress>> result) {
  if (!result || result->empty()) {
    owner_.on_unresolved(server_, "resolve: " + (result ? "no address" : result.error().text));
    return owner_.on_probed(server_);
  }
  if (result->size() > kMostAddresses) result->resize(kMostAddresses);
  std::vector<std::string> addresses;
  for (const auto& address : *result) {
    const std::string text = address.text();
    if (std::ranges::find(addresses, text) == addresses.end()) addresses.push_back(text);
  }
  owner_.on_resolved(server_, addresses);
  running_ = addresses.size();
  std::vector<std::string> begun;
  for (const auto& address : *result) {
    if (std::ranges::find(begun, address.text()) != begun.end()) continue;
    begun.push_back(address.text());
    sessions_.push_back(
        std::make_unique<ProbeSession>(loop_, address, spec_, static_cast<ProbeSession::Owner&>(*this)));
  }
}

std::vector<Ask> ServerProbe::on_verdict(const std::string& address, const Verdict& verdict) {
  return owner_.on_verdict(server_, address, verdict);
}

void ServerProbe::on_finished(const std::string&, const std::vector<Asked>& answers) {
  if (!answers.empty()) owner_.on_answers(server_, answers);
  if (--running_ == 0) owner_.on_probed(server_);
}

}  // namespace holdfast::prober
