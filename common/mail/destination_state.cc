#include "common/mail/destination_state.h"

#include <fmt/core.h>

#include "common/base/panic.h"

namespace holdfast::mail {

std::string_view to_text(DestinationState s) {
  switch (s) {
    case DestinationState::kUp: return "up";
    case DestinationState::kDown: return "down";
    case DestinationState::kDraining: return "draining";
    case DestinationState::kPaused: return "paused";
  }
  base::panic("a destination state without a name");
}

std::string Capabilities::text() const {
  std::string out;
  const auto add = [&out](bool offered, std::string_view keyword) {
    if (!offered) return;
    if (!out.empty()) out += ' ';
    out += keyword;
  };
  add(pipelining, "PIPELINING");
  add(size, size_limit > 0 ? fmt::format("SIZE={}", size_limit) : "SIZE");
  add(eightbitmime, "8BITMIME");
  add(smtputf8, "SMTPUTF8");
  add(enhanced_status_codes, "ENHANCEDSTATUSCODES");
  add(starttls, "STARTTLS");
  add(chunking, "CHUNKING");
  add(dsn, "DSN");
  add(xclient, "XCLIENT");
  return out;
}

}  // namespace holdfast::mail
