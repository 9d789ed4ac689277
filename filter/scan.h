// The whole of a message in, what is not wanted in it out. Pure but for memory: libraries do the parsing (GMime, libarchive),
// nothing is read or written elsewhere.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "filter/policy.h"

namespace holdfast::filter {

struct Finding {
  Rule rule = Rule::kName;
  Action action = Action::kPass;
  std::string text;  // printable ASCII, one sentence without its end: attachment "invoice.exe" is not allowed here
  bool operator==(const Finding&) const = default;
};

struct Report {
  std::vector<Finding> findings;  // in the order of the message, each text once, kMostFindings at most
  // The first of those that weigh most; nullptr: nothing was found that the policy does not pass.
  const Finding* worst() const;
};

inline constexpr std::size_t kMostFindings = 50;
// Nested deeper, or in more parts, no honest message is.
inline constexpr int kMimeDepth = 50, kMimeParts = 2'000;

// To be called once, before any scan() and before threads: sets the process's character type to UTF-8 and readies GMime.
void prepare_libraries();

// `message` plain (dots are single), lines end with CRLF or LF. `late` says whether the time is over. With `all` the search
// goes on when what was found is enough for a refusal. Any thread.
Report scan(std::string_view message, const Policy& policy, const std::function<bool()>& late, bool all = false);

}  // namespace holdfast::filter
