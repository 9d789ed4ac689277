// Which series the history has, and what a moment's figures make of them. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/admin/figures.h"
#include "common/storage/history.h"

namespace holdfast::admin {

// A series, or all whose name begins so and goes on with a domain's or a destination's name ("queue.domain.").
struct HistorySeries {
  std::string_view name, unit, help;
};
std::span<const HistorySeries> history_series();
// What the table says of a series; null for a name that is in no row.
const HistorySeries* find_history_series(std::string_view name);

// The values of this moment. Rates and latencies are those since `before`, `seconds` ago; nothing before, or a gateway
// that was started anew since, gives none. What is unknown is left out.
storage::History::Values history_values(const Figures& now, const Figures* before, double seconds);

}  // namespace holdfast::admin
