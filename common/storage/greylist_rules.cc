#include "common/storage/greylist.h"

#include <algorithm>

namespace holdfast::storage {
namespace {

constexpr int kV4Bits = 24, kV6Bits = 64;
// A row whose mail goes on is written again when its end has moved by a 24th of its lifetime, no sooner.
constexpr std::uint32_t kRefreshPart = 24;

bool holds(const std::optional<GreyRow>& row, std::uint32_t now_s) { return row && row->end_s > now_s; }

std::optional<GreyRow> refreshed(const GreyRow& row, std::uint32_t now_s, const GreyRules& rules) {
  const std::uint32_t end_s = now_s + rules.lifetime_s;
  if (row.kind == GreyRow::Kind::kByHand || end_s <= row.end_s || end_s - row.end_s < rules.lifetime_s / kRefreshPart) return std::nullopt;
  GreyRow out = row;
  out.end_s = end_s;
  return out;
}

bool lets_pass(const GreyRow& row, const GreyRules& rules) {
  if (row.kind == GreyRow::Kind::kByHand) return true;
  return rules.auto_allow > 0 && row.count >= rules.auto_allow;
}

}  // namespace

base::Network grey_network(const base::IpAddress& client) { return base::Network::around(client, kV4Bits, kV6Bits); }

GreyJudgement judge_grey(const std::optional<GreyRow>& triplet, const std::optional<GreyRow>& network,
                         const base::Network& client, std::uint32_t now_s, const GreyRules& rules) {
  if (holds(network, now_s) && lets_pass(*network, rules)) {
    auto again = refreshed(*network, now_s, rules);
    if (again) again->count = 0;  // none are added
    return {GreyWord::kKnown, std::nullopt, again};
  }
  if (holds(triplet, now_s) && triplet->kind == GreyRow::Kind::kPassed) return {GreyWord::kKnown, refreshed(*triplet, now_s, rules), std::nullopt};
  // A first attempt that lies in the future was written before the clock was put back.
  const bool began = holds(triplet, now_s) && triplet->first_s <= now_s;
  if (!began) {
    return {GreyWord::kPutOff, GreyRow{.kind = GreyRow::Kind::kWaiting, .network = client, .first_s = now_s, .end_s = now_s + rules.window_s}, std::nullopt};
  }
  if (now_s - triplet->first_s < rules.delay_s) return {GreyWord::kPutOff, std::nullopt, std::nullopt};
  const std::uint32_t end_s = now_s + rules.lifetime_s;
  return {GreyWord::kPassed,
          GreyRow{.kind = GreyRow::Kind::kPassed, .network = client, .first_s = triplet->first_s, .end_s = end_s},
          GreyRow{.kind = GreyRow::Kind::kNetwork, .network = client, .first_s = now_s, .end_s = end_s, .count = 1}};
}

}  // namespace holdfast::storage
