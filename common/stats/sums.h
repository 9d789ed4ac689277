// What master tells of all daemons' numbers (`master.stats`), and how it is read again. In words, by the names of
// families.h: either side may be of another version, and takes what it knows.
#pragma once

#include <map>
#include <string>

#include "common/base/error.h"
#include "common/stats/page.h"

namespace holdfast::stats {

// By the daemon's name, all its workers and all their lives since master's start together.
using Sums = std::map<std::string, Tally, std::less<>>;

// {"daemons": {"smtpd": {"counters": {NAME: N…}, "histograms": {NAME: {"buckets": […], "sum_us": N}…},
// "destinations": {NAME: {"answers": {"accepted": N…}, "seconds": {"buckets": …}}…}}…}}; zeroes are left out.
std::string sums_json(const Sums& sums);
// kData for what is no such object. Names that are unknown, and histograms with other buckets, are left out.
base::Result<Sums> parse_sums(const std::string& json);

}  // namespace holdfast::stats
