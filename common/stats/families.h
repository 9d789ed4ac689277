// The one table of metrics: each family's name, type and help, and which counter is which series of which family.
// `gatewayctl metrics`, webd's /metrics and docs/metrics.md are made from it, and nothing else names a metric.
#pragma once

#include <span>
#include <string_view>

#include "common/stats/counters.h"

namespace holdfast::stats {

enum class Type : std::uint8_t { kCounter, kGauge, kHistogram };
std::string_view to_text(Type type);

struct Family {
  std::string_view name;    // "holdfast_smtpd_messages_total"
  Type type = Type::kGauge;
  std::string_view labels;  // what labels it has, for people; empty: none
  std::string_view help;    // one sentence without a full stop
};

// In the order of output: all of a family stand together.
std::span<const Family> families();
// Panics for a name that is in no row: the tests walk through all of them.
const Family& family(std::string_view name);

struct Series {
  std::string_view daemon;    // whose; empty: of each daemon that counts it, with a label daemon=
  std::string_view family;
  std::string_view labels;    // `result="kept"`; empty: none
  std::string_view text;      // the two as Prometheus writes them: `family{labels}`
};
const Series& series(Counter counter);
const Series& series(Histogram histogram);
inline std::string_view series_of(Counter counter) { return series(counter).text; }
inline std::string_view series_of(Histogram histogram) { return series(histogram).text; }

}  // namespace holdfast::stats
