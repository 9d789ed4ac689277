// What an MTA and a filter agree on when their connection begins.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/milter/protocol.h"

namespace holdfast::milter {

struct Terms {
  std::uint32_t version = kVersion;
  std::uint32_t actions = 0;
  std::uint32_t steps = 0;
  // Names of macros the filter asked for at a stage ("i", "{auth_authen}"); nothing: the usual ones.
  std::array<std::optional<std::vector<std::string>>, kStages> macros;

  bool wants(Stage s) const { return (steps & step::without(s)) == 0; }
  bool answers(Stage s) const { return step::unanswered(s) == 0 || (steps & step::unanswered(s)) == 0; }
  bool may(std::uint32_t action) const { return (actions & action) != 0; }
  bool leading_space() const { return (steps & step::kLeadingSpace) != 0; }
};

// The data of the offer that we begin with.
std::string offer();
// The filter's answer to it; kData when it asks for what was not offered, or is no answer at all.
base::Result<Terms> parse_terms(std::string_view data);

}  // namespace holdfast::milter
