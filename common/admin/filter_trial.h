// Filters asked by hand about a message, and how what they say is told.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/config/config.h"
#include "common/filtering/trial.h"

namespace holdfast::admin {

struct FilterQuestion {
  std::string filter;             // empty: all
  std::string sender, recipient;  // empty: postmasters
  std::string content;            // plain; empty: a harmless message
};
struct FilterAnswer {
  std::string filter;
  filtering::TrialResult said;
};

// One after the other, each with the message as it is given. kNotFound: no such filter, or none at all. Blocks, up to two
// minutes each.
base::Result<std::vector<FilterAnswer>> ask_filters(const config::Config& config, const FilterQuestion& question);

// 0; the code of kUnavailable if one fails, of kData if one does not let it pass.
int trial_exit(const std::vector<FilterAnswer>& answers);
std::string trial_text(const FilterAnswer& answer);
std::string trial_json(const FilterAnswer& answer);

}  // namespace holdfast::admin
