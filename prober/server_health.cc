#include "prober/server_health.h"

#include <algorithm>

namespace holdfast::prober {

ServerHealth::ServerHealth(std::string name, Rules rules, base::Wall since)
    : name_(std::move(name)), rules_(rules), since_(since) {}

void ServerHealth::restore(bool up, std::string reason, base::Wall since) {
  addresses_.clear();
  refuses_known_ = !up && reason == kRefusesKnown;
  if (!up && !refuses_known_) addresses_[""] = {.up = false, .reason = reason};
  up_ = up;
  reason_ = up ? "" : std::move(reason);
  since_ = since;
}

void ServerHealth::set_addresses(const std::vector<std::string>& addresses, base::Wall now) {
  const bool reachable =
      addresses_.empty() || std::ranges::any_of(addresses_, [](const auto& a) { return a.second.up; });
  std::map<std::string, Address, std::less<>> kept;
  for (const std::string& address : addresses) {
    const auto known = addresses_.find(address);
    if (known != addresses_.end()) {
      kept[address] = known->second;
    } else {
      kept[address] = {.up = reachable, .reason = reachable ? "" : addresses_.begin()->second.reason};
    }
  }
  if (!kept.empty()) addresses_ = std::move(kept);
  settle(now);
}

bool ServerHealth::record(std::string_view address, const Evidence& evidence, Now now) {
  const auto found = addresses_.find(address);
  if (found == addresses_.end()) return false;
  if (evidence.ok) {
    pass(found->second, evidence);
  } else {
    failure(found->second, evidence, now.mono);
  }
  settle(now.wall);
  return true;
}

void ServerHealth::record_unresolved(const std::string& reason, Now now) {
  if (addresses_.empty()) addresses_[""] = {};
  const Evidence evidence{.stage = mail::Stage::kConnect, .reason = reason, .probe = true};
  for (auto& [text, address] : addresses_) failure(address, evidence, now.mono);
  settle(now.wall);
}

void ServerHealth::set_refuses_known(bool refuses, base::Wall now) {
  refuses_known_ = refuses;
  settle(now);
}

void ServerHealth::pass(Address& address, const Evidence& evidence) {
  if (address.up) {
    // A live session that went well up to MAIL says nothing against failures further on.
    if (evidence.stage >= address.failed_at) address = {};
    return;
  }
  if (!evidence.probe) return;
  if (++address.passes >= rules_.up_after) address = {};
}

void ServerHealth::failure(Address& address, const Evidence& evidence, base::Mono now) {
  address.passes = 0;
  if (!evidence.probe && address.failures > 0 && now - address.counted < kLiveSpacing) return;
  ++address.failures;
  address.counted = now;
  address.failed_at = std::max(address.failed_at, evidence.stage);
  address.reason = evidence.reason;
  if (address.failures >= rules_.down_after || evidence.certain) address.up = false;
}

void ServerHealth::settle(base::Wall now) {
  const bool reachable =
      addresses_.empty() || std::ranges::any_of(addresses_, [](const auto& a) { return a.second.up; });
  const bool up = reachable && !refuses_known_;
  if (up) {
    reason_.clear();
  } else {
    reason_ = reachable ? std::string(kRefusesKnown) : addresses_.begin()->second.reason;
  }
  if (up != up_) since_ = now;
  up_ = up;
}

bool ServerHealth::address_up(std::string_view address) const {
  const auto found = addresses_.find(address);
  return found == addresses_.end() || found->second.up;
}

int ServerHealth::failures() const {
  int most = 0;
  for (const auto& [text, address] : addresses_) most = std::max(most, address.failures);
  return most;
}

bool ServerHealth::unsettled() const {
  return std::ranges::any_of(addresses_,
                             [](const auto& a) { return a.second.up ? a.second.failures > 0 : a.second.passes > 0; });
}

}  // namespace holdfast::prober
