// The gateway's figures: what the daemons have counted since master's start, and how things stand now, as samples of the
// families of common/stats/families.h. What is unknown is left out, never 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/admin/status_report.h"
#include "common/stats/sums.h"

namespace holdfast::admin {

class Gateway;

struct Figures {
  std::string version;
  Status status;
  // Messages by domain of their recipients, of all domains that are configured; empty: the queue could not be read.
  std::vector<std::pair<std::string, std::uint64_t>> domains;
  std::optional<stats::Sums> sums;  // nothing: master does not answer
};

// Waits up to 2 s for each daemon that does not answer.
Figures gather_figures(Gateway& gateway, std::string version);

struct Sample {
  struct Label {
    std::string name, value;
    bool operator==(const Label&) const = default;
  };
  std::string_view family;
  std::vector<Label> labels{};
  double value = 0;
  std::optional<stats::HistogramNumbers> histogram{};  // then `value` is how many
};

// In the order of families(), those of a family together. Pure.
std::vector<Sample> samples(const Figures& figures);

// How long `share` (0 to 1) of what a histogram saw took at most: the upper bound of the bucket, in seconds. Nothing for
// an empty one, and where it is more than the last bound.
std::optional<double> quantile(const stats::HistogramNumbers& numbers, double share);
std::uint64_t count_of(const stats::HistogramNumbers& numbers);

}  // namespace holdfast::admin
