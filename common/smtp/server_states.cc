#include "common/smtp/server_states.h"

#include <fmt/core.h>

namespace holdfast::smtp {
namespace {

struct Row {
  State state;
  Verb verb;
  State next;
};

using enum Verb;
constexpr Row kRows[] = {
    {State::kConnect, kBanner, State::kStart},

    {State::kStart, kHelo, State::kGreeted},   {State::kStart, kEhlo, State::kGreeted},
    {State::kStart, kRset, State::kStart},     {State::kStart, kNoop, State::kStart},
    {State::kStart, kVrfy, State::kStart},     {State::kStart, kHelp, State::kStart},
    {State::kStart, kQuit, State::kClosed},    {State::kStart, kXclient, State::kStart},

    {State::kGreeted, kHelo, State::kGreeted}, {State::kGreeted, kEhlo, State::kGreeted},
    {State::kGreeted, kMail, State::kMail},    {State::kGreeted, kRset, State::kGreeted},
    {State::kGreeted, kNoop, State::kGreeted}, {State::kGreeted, kVrfy, State::kGreeted},
    {State::kGreeted, kHelp, State::kGreeted}, {State::kGreeted, kQuit, State::kClosed},
    {State::kGreeted, kStartTls, State::kHandshake},
    {State::kGreeted, kXclient, State::kStart},

    {State::kMail, kRcpt, State::kRcpt},       {State::kMail, kHelo, State::kGreeted},
    {State::kMail, kEhlo, State::kGreeted},    {State::kMail, kRset, State::kGreeted},
    {State::kMail, kNoop, State::kMail},       {State::kMail, kVrfy, State::kMail},
    {State::kMail, kHelp, State::kMail},       {State::kMail, kQuit, State::kClosed},

    {State::kRcpt, kRcpt, State::kRcpt},       {State::kRcpt, kData, State::kContent},
    {State::kRcpt, kHelo, State::kGreeted},    {State::kRcpt, kEhlo, State::kGreeted},
    {State::kRcpt, kRset, State::kGreeted},    {State::kRcpt, kNoop, State::kRcpt},
    {State::kRcpt, kVrfy, State::kRcpt},       {State::kRcpt, kHelp, State::kRcpt},
    {State::kRcpt, kQuit, State::kClosed},

    {State::kRcpt, kBdat, State::kChunk},

    {State::kContent, kDot, State::kGreeted},

    {State::kChunk, kChunkEnd, State::kChunks}, {State::kChunk, kDot, State::kGreeted},

    {State::kChunks, kBdat, State::kChunk},    {State::kChunks, kHelo, State::kGreeted},
    {State::kChunks, kEhlo, State::kGreeted},  {State::kChunks, kRset, State::kGreeted},
    {State::kChunks, kNoop, State::kChunks},   {State::kChunks, kVrfy, State::kChunks},
    {State::kChunks, kHelp, State::kChunks},   {State::kChunks, kQuit, State::kClosed},

    {State::kRefused, kQuit, State::kClosed},
};

}  // namespace

std::string_view to_text(State s) {
  switch (s) {
    case State::kConnect: return "connect";
    case State::kRefused: return "refused";
    case State::kStart: return "start";
    case State::kGreeted: return "greeted";
    case State::kMail: return "mail";
    case State::kRcpt: return "rcpt";
    case State::kContent: return "content";
    case State::kChunk: return "chunk";
    case State::kChunks: return "chunks";
    case State::kHandshake: return "handshake";
    case State::kClosed: return "closed";
  }
  return "?";
}

std::optional<State> next_state(State now, Verb verb) {
  for (const Row& row : kRows) {
    if (row.state == now && row.verb == verb) return row.next;
  }
  return std::nullopt;
}

std::string states_table() {
  std::string out = "| state | command | next state |\n|---|---|---|\n";
  for (const Row& row : kRows) {
    out += fmt::format("| {} | {} | {} |\n", to_text(row.state), to_text(row.verb), to_text(row.next));
  }
  return out;
}

}  // namespace holdfast::smtp
