#include "fuzz/server_follower.h"

#include <cctype>

#include <fmt/core.h>

#include "common/base/panic.h"
#include "fuzz/target.h"
#include "fuzz/wire_checks.h"

namespace holdfast::fuzz {
namespace {

using base::expect;
using smtp::State;

void expect_silence(const Step& step) {
  expect(step.events == 0 && step.output.empty() && step.before == step.after, "something happens where nothing may");
}

bool is_bdat(std::string_view line) {
  constexpr std::string_view kWord = "BDAT";
  for (std::size_t i = 0; i < kWord.size(); ++i) {
    if (i >= line.size() || std::toupper(static_cast<unsigned char>(line[i])) != kWord[i]) return false;
  }
  return line.size() == kWord.size() || line[kWord.size()] == ' ';
}

bool is_plain(std::string_view line, bool utf8) {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 32 || byte == 127 || (byte > 127 && !utf8)) return false;
  }
  return true;
}

}  // namespace

void ServerFollower::on_tls() {
  expect(mode_ == Mode::kLine, "TLS inside content");
  line_.clear();
  poisoned_ = false;
}

void ServerFollower::on_byte(char byte, const Step& step) {
  expect(check_replies(step.output) <= 1, "two replies to one byte");
  if (step.before == State::kClosed || step.before == State::kHandshake) return expect_silence(step);
  switch (mode_) {
    case Mode::kLine:
      line_ += byte;
      return byte == '\n' ? on_line(step) : expect_silence(step);
    case Mode::kData: raw_ += byte; return on_data(step);
    case Mode::kChunk: raw_ += byte; return on_chunk(step);
    case Mode::kSwallow: return on_swallow(step);
  }
}

void ServerFollower::on_line(const Step& step) {
  const bool crlf = line_.ends_with("\r\n");
  const std::string_view text = std::string_view(line_).substr(0, line_.size() - (crlf ? 2 : 1));
  const bool sound = crlf && !poisoned_ && text.find_first_of("\r\n") == std::string_view::npos;
  const bool nothing_behind_lf = poisoned_ && line_ == "\r\n";
  poisoned_ = !crlf && (poisoned_ || line_.size() <= smtp::kMaxCommandWithParameters + 1);
  if (!sound || !is_plain(text, options_.smtputf8)) {
    expect(!step.named && !step.data && !step.ended, "a broken line is taken for a command");
    expect(step.output.empty() || step.output[0] == '5' || step.output.starts_with("421"), "a broken line is answered well");
  }
  if (sound) {
    expect(!step.output.empty() || is_bdat(text), "a line without an answer");
    if (is_bdat(text)) on_bdat(step);
    expect(step.data ? step.data_refused || mode_ != Mode::kLine || step.after != step.before : true, "DATA leads nowhere");
    if (step.data && !is_bdat(text) && !step.data_refused) {
      mode_ = Mode::kData;
      raw_.clear();
    }
  } else {
    expect(!step.output.empty() || nothing_behind_lf || !crlf, "a broken line without an answer");
  }
  line_.clear();
}

// The line is sound; what the session made of it shows in the step.
void ServerFollower::on_bdat(const Step& step) {
  const auto chunk = read_chunk_line(std::string_view(line_).substr(0, line_.size() - 2));
  const bool refused = step.rejected || step.data_refused;
  if (step.after == State::kClosed) return expect(refused && !step.output.empty(), "BDAT closes without a word");
  expect(chunk.has_value(), "a BDAT whose size nobody knows leaves the session open");
  chunk_ = *chunk;
  left_ = chunk_.size;
  if (refused) {
    expect(step.output.empty() == (left_ > 0), "a refused BDAT is answered behind its octets");
    if (left_ > 0) mode_ = Mode::kSwallow;
    return;
  }
  if (step.data) raw_.clear();
  expect(step.data || step.before == State::kChunks, "BDAT without recipients");
  mode_ = Mode::kChunk;
  if (left_ == 0) return end_chunk(step);
  expect(step.output.empty(), "BDAT is answered before its octets");
}

void ServerFollower::on_chunk(const Step& step) {
  if (--left_ > 0) return expect_silence(step);
  end_chunk(step);
}

void ServerFollower::end_chunk(const Step& step) {
  mode_ = Mode::kLine;
  if (step.ended) {
    expect(chunk_.last || step.refused, "a chunk that is not the last ends the message");
    return check_end(step, decode_chunks(raw_));
  }
  expect(!chunk_.last, "the last chunk does not end the message");
  expect_equal(step.output, fmt::format("250 2.0.0 {} octets received\r\n", chunk_.size), "the answer to a chunk");
}

void ServerFollower::on_data(const Step& step) {
  expect(step.ended == ends_data(raw_), "content ends where its end is not");
  if (!step.ended) return expect_silence(step);
  mode_ = Mode::kLine;
  check_end(step, decode_data(raw_));
}

void ServerFollower::on_swallow(const Step& step) {
  if (--left_ > 0) return expect_silence(step);
  expect(step.events == 0 && check_replies(step.output) == 1, "a refused BDAT has no answer");
  mode_ = Mode::kLine;
}

void ServerFollower::check_end(const Step& step, const Decoded& wanted) const {
  const bool too_big = options_.size_limit > 0 && wanted.octets > options_.size_limit;
  const bool ambiguous = wanted.bare_newline && options_.bare_newline == smtp::BareNewline::kReject;
  expect(step.refused == (too_big || ambiguous) || (step.refused && !chunk_.last), "content is refused for nothing, or not at all");
  if (step.refused) {
    expect(wanted.content.starts_with(step.content) || too_big, "refused content is not the sender's");
    expect(!step.output.starts_with('2'), "refused content gets a 2xx");
    return;
  }
  expect_equal(step.content, wanted.content, "the content given out is not what came");
  expect(step.octets == wanted.octets, "the octets are not those of the content");
  check_content(step.content);
}

}  // namespace holdfast::fuzz
