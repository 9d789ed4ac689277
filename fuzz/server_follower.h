// Reads what a client sends to a server session along with it, byte by byte, by its own understanding of the wire, and
// says at each byte what may happen there: nothing inside a line, a chunk or content, and at their ends what their own
// bytes allow. Content that is given out must be what the reference decoders (wire_reference.h) make of those bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/smtp/server_session.h"
#include "fuzz/wire_reference.h"

namespace holdfast::fuzz {

// What a session did when it was given one byte.
struct Step {
  smtp::State before = smtp::State::kConnect, after = smtp::State::kConnect;
  int events = 0;            // all but Content
  bool rejected = false;     // Rejected was one of them
  bool data = false;         // Data
  bool data_refused = false; // … and it was answered by a 4xx or 5xx
  bool named = false;        // an event that a well-formed command alone may bring: Helo, Mail, Rcpt, Xclient, StartTls, Quit
  bool ended = false;        // ContentEnd
  std::uint64_t octets = 0;
  bool refused = false;      // … with a refusal
  std::string content;       // given out since the last ContentEnd or Data
  std::string output;
};

class ServerFollower {
 public:
  explicit ServerFollower(const smtp::ServerOptions& options) : options_(options) {}

  void on_byte(char byte, const Step& step);
  void on_tls();

 private:
  enum class Mode { kLine, kData, kChunk, kSwallow };

  void on_line(const Step& step);
  void on_bdat(const Step& step);
  void on_data(const Step& step);
  void on_chunk(const Step& step);
  void on_swallow(const Step& step);
  void end_chunk(const Step& step);
  void check_end(const Step& step, const Decoded& wanted) const;

  const smtp::ServerOptions options_;
  Mode mode_ = Mode::kLine;
  std::string raw_;        // of the present line, content, or all chunks of the message so far
  std::string line_;
  bool poisoned_ = false;  // a bare LF has come, and no CRLF since
  ChunkLine chunk_;
  std::uint64_t left_ = 0;
};

}  // namespace holdfast::fuzz
