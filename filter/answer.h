// What the MTA is told of a report. Pure.
#pragma once

#include <string>

#include "filter/scan.h"

namespace holdfast::filter {

struct Answer {
  Action action = Action::kPass;
  std::string text;  // of the finding that weighs most; a percent sign is doubled where it is a reply (Sendmail's rule)
};
Answer answer_to(const Report& report);

// "content=reject, rule=name, attachment "invoice.exe" is not allowed here" for each finding, the worst first.
std::string log_text(const Report& report);

}  // namespace holdfast::filter
