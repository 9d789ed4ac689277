// The figures in words: for Prometheus, for people, for programs, and the page that explains them. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/admin/figures.h"

namespace holdfast::admin {

// Prometheus' text format 0.0.4, for /metrics and `gatewayctl metrics`.
inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
std::string metrics_text(const std::vector<Sample>& samples);

// `gatewayctl stats`: a table of all that is not 0; and --json, one object a line: {"name", "labels", "value"}, of a
// histogram {"name", "labels", "count", "sum_seconds", "buckets": [[seconds or null, count]…]}.
std::string stats_text(const std::vector<Sample>& samples);
std::string stats_json(const std::vector<Sample>& samples);

// docs/metrics.md.
std::string metrics_reference();

}  // namespace holdfast::admin
