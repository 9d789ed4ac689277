#include "common/mail/destination_state.h"

#include <array>

#include <fmt/core.h>

#include "common/base/panic.h"

namespace holdfast::mail {
namespace {

struct Name {
  DestinationState state;
  std::string_view text;
};
constexpr std::array<Name, 4> kNames{{{DestinationState::kUp, "up"},
                                      {DestinationState::kDown, "down"},
                                      {DestinationState::kDraining, "draining"},
                                      {DestinationState::kPaused, "paused"}}};

}  // namespace

std::string_view to_text(DestinationState s) {
  for (const Name& name : kNames) {
    if (name.state == s) return name.text;
  }
  base::panic("a destination state without a name");
}

std::optional<DestinationState> parse_state(std::string_view s) {
  for (const Name& name : kNames) {
    if (name.text == s) return name.state;
  }
  return std::nullopt;
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
