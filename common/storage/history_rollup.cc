#include "common/storage/history_rollup.h"

#include <algorithm>

namespace holdfast::storage {

void RollUp::add(std::span<const HistoryPoint> points) {
  for (const auto& point : points) {
    Sum& sum = sums_[point.series];
    sum.total += point.mean * point.samples;
    sum.samples += point.samples;
  }
}

std::vector<HistoryPoint> RollUp::take() {
  std::vector<HistoryPoint> out;
  for (const auto& [series, sum] : sums_) {
    if (sum.samples == 0) continue;
    out.push_back({.series = series,
                   .samples = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum.samples, UINT32_MAX)),
                   .mean = sum.total / static_cast<double>(sum.samples)});
  }
  sums_.clear();
  return out;
}

std::int64_t answer_step(std::int64_t from, std::int64_t to, std::int64_t now, std::size_t most) {
  const std::int64_t length = std::max<std::int64_t>(to - from, 1), limit = std::max<std::int64_t>(static_cast<std::int64_t>(most), 1);
  for (const auto& level : kHistoryLevels) {
    if (from >= now - level.keep && length / level.step < limit) return level.step;
  }
  const auto longest = kHistoryLevels.back().step;
  return longest * std::max<std::int64_t>(1, (length / longest + limit) / limit);
}

}  // namespace holdfast::storage
