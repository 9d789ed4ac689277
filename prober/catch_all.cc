#include "prober/catch_all.h"

#include "common/base/text.h"

namespace holdfast::prober {

bool catch_all_due(const std::optional<storage::DomainRow>& row, std::string_view destination, base::Wall now) {
  if (!row || row->destination != destination || row->catch_all == storage::CatchAll::kUnknown) return true;
  const base::Wall tested = base::from_millis(row->catch_all_tested_ms);
  return now - tested >= kCatchAllEvery || tested > now;
}

std::string random_recipient(std::string_view domain) {
  return "probe-" + base::random_token().substr(0, 20) + "@" + std::string(domain);
}

std::optional<storage::CatchAll> judge_catch_all(const mail::Reply& reply, storage::CatchAll before,
                                                 bool postmaster_accepted) {
  if (reply.positive() && reply.code != 252) return storage::CatchAll::kYes;
  if (!reply.permanent()) return std::nullopt;
  if (before == storage::CatchAll::kYes && !postmaster_accepted) return std::nullopt;
  return storage::CatchAll::kNo;
}

}  // namespace holdfast::prober
