// Input cut into lines, whatever the pieces it comes in. Owns the bytes that have come and are not used
// yet: for a server session these are commands and, between next() calls, raw content.
//
// Only CRLF ends a line in strict mode (RFC 5321 section 2.3.8, design.md section 5). A bare LF there ends
// the waiting for one, so that a peer that only sends LF gets an answer to each: the piece is kBareNewline, and
// so is what follows up to the next CRLF: it is never read as a line of its own. In lenient
// mode (replies of odd servers) LF ends a line too, and a CR elsewhere is text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::smtp {

class LineReader {
 public:
  enum class Mode { kStrict, kLenient };
  enum class Status {
    kLine,         // `text` is the line without its line end
    kTooLong,      // `text` is its beginning, max_line bytes; the rest was skipped
    kBareNewline,  // strict only: a bare CR or LF stands in it; `text` is what came, for logs
  };
  struct Line {
    Status status = Status::kLine;
    std::string_view text;   // valid until append(), or content_used() after it
    std::size_t octets = 0;  // that the line took on the wire, its end included
  };

  // `max_line` counts without the line end.
  LineReader(std::size_t max_line, Mode mode) : max_line_(max_line), mode_(mode) {}

  void append(std::string_view bytes);
  // The next line that is there whole. Memory is bounded by max_line and what the caller appends at once.
  std::optional<Line> next();

  // For content, which begins where the last line ended: all that is there, and how much of it was used.
  std::string_view rest() const { return std::string_view(buffer_).substr(start_); }
  void use(std::size_t octets);
  std::size_t buffered() const { return buffer_.size() - start_; }
  // Of a line too long whose end has not come yet.
  std::size_t skipped() const { return skipped_; }
  void clear();
  // Gives the memory of a big piece back, if nothing is buffered: sessions may be idle for long.
  void shrink();

 private:
  enum class Skip { kNo, kTooLong, kPoisoned };

  std::optional<Line> skip();
  void begin_skipping(Skip why, std::size_t octets);
  Line take(Status status, std::size_t text, std::size_t octets);

  std::size_t max_line_;
  Mode mode_;
  std::string buffer_;
  std::size_t start_ = 0;    // bytes before it are used
  std::size_t scanned_ = 0;  // behind start_: known to hold no LF
  Skip skip_ = Skip::kNo;
  std::string prefix_;  // of a line too long
  std::size_t skipped_ = 0;
  bool cr_ = false;  // the last skipped byte was a CR
};

}  // namespace holdfast::smtp
