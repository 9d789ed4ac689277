// Which announced event raises or ends which alert. Pure.
#pragma once

#include <optional>
#include <string>

#include "common/ipc/messages.h"

namespace holdfast::alertd {

struct EventEffect {
  std::string kind, subject, cause;
  bool raised = true;

  bool operator==(const EventEffect&) const = default;
};

// Nothing: an event that is no alert, or that we do not know. `sender`: "smtpd 1".
std::optional<EventEffect> effect_of(const ipc::Event& event, const std::string& sender);

}  // namespace holdfast::alertd
