// The server's state machine as data (models.md, habit 3). A pair that has no row is answered 503.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/smtp/command.h"

namespace holdfast::smtp {

enum class State : std::uint8_t {
  kConnect,  // nothing sent yet
  kRefused,  // the banner was a 4xx or 5xx: only QUIT is understood
  kStart,    // banner sent
  kGreeted,  // HELO or EHLO accepted, no transaction
  kMail,     // MAIL accepted
  kRcpt,     // at least one RCPT accepted
  kContent,  // behind 354
  kChunk,    // behind BDAT: its octets come
  kChunks,   // behind a chunk that is not the last
  kHandshake,  // behind the 220 of STARTTLS
  kClosed,
};
std::string_view to_text(State s);

// The state that a verb leads to once it is answered positively; nothing where it is out of sequence.
std::optional<State> next_state(State now, Verb verb);

// The table as Markdown, for docs.
std::string states_table();

}  // namespace holdfast::smtp
