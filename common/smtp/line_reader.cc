#include "common/smtp/line_reader.h"

#include <algorithm>
#include <utility>

namespace holdfast::smtp {

void LineReader::append(std::string_view bytes) {
  if (start_ == buffer_.size()) {
    buffer_.clear();
    start_ = 0;
  } else if (start_ > buffer_.size() / 2) {
    buffer_.erase(0, start_);
    start_ = 0;
  }
  buffer_.append(bytes);
}

void LineReader::use(std::size_t octets) {
  start_ += octets;
  scanned_ = 0;
}

void LineReader::clear() {
  buffer_.clear();
  start_ = scanned_ = 0;
  skip_ = Skip::kNo;
  skipped_ = 0;
}

void LineReader::shrink() {
  constexpr std::size_t kSmall = 4096;
  if (buffered() > 0 || buffer_.capacity() <= kSmall) return;
  buffer_ = {};
  start_ = scanned_ = 0;
}

LineReader::Line LineReader::take(Status status, std::size_t text, std::size_t octets) {
  const Line line{status, rest().substr(0, text), octets};
  use(octets);
  return line;
}

// Goes on behind the part of a line that was given up; the line end may be long in coming.
std::optional<LineReader::Line> LineReader::skip() {
  for (;;) {
    const std::string_view in = rest();
    const auto lf = in.find('\n');
    if (lf == std::string_view::npos) {
      if (!in.empty()) cr_ = in.back() == '\r';
      skipped_ += in.size();
      use(in.size());
      return std::nullopt;
    }
    const bool crlf = lf > 0 ? in[lf - 1] == '\r' : cr_;
    cr_ = false;
    skipped_ += lf + 1;
    use(lf + 1);
    if (skip_ == Skip::kTooLong && (crlf || mode_ == Mode::kLenient)) {
      skip_ = Skip::kNo;
      return Line{Status::kTooLong, prefix_, std::exchange(skipped_, 0)};
    }
    if (skip_ == Skip::kPoisoned) {
      const std::size_t octets = std::exchange(skipped_, 0);
      if (crlf) skip_ = Skip::kNo;
      if (crlf && octets <= 2) return std::nullopt;  // nothing stood behind the bare LF
      return Line{Status::kBareNewline, {}, octets};
    }
  }
}

void LineReader::begin_skipping(Skip why, std::size_t octets) {
  const std::string_view in = rest().substr(0, octets);
  if (why == Skip::kTooLong) prefix_ = in.substr(0, max_line_);
  skip_ = why;
  cr_ = in.ends_with('\r');
  skipped_ = in.size();
  use(octets);
}

std::optional<LineReader::Line> LineReader::next() {
  for (;;) {
    if (skip_ != Skip::kNo) {
      auto line = skip();
      if (line || skip_ != Skip::kNo) return line;
      continue;
    }
    const std::string_view in = rest();
    const auto lf = in.find('\n', scanned_);
    if (lf == std::string_view::npos) {
      scanned_ = in.size();
      // One more may be the CR of a line that just fits.
      if (in.size() > max_line_ + 1) begin_skipping(Skip::kTooLong, in.size());
      return std::nullopt;
    }
    const bool crlf = lf > 0 && in[lf - 1] == '\r';
    const std::size_t text = crlf ? lf - 1 : lf;
    if (mode_ == Mode::kLenient) {
      return take(text > max_line_ ? Status::kTooLong : Status::kLine, std::min(text, max_line_), lf + 1);
    }
    if (text > max_line_) {
      if (crlf) return take(Status::kTooLong, max_line_, lf + 1);
      begin_skipping(Skip::kTooLong, lf + 1);
      continue;
    }
    if (crlf) {
      const bool bare_cr = in.substr(0, text).find('\r') != std::string_view::npos;
      return take(bare_cr ? Status::kBareNewline : Status::kLine, text, lf + 1);
    }
    const Line line = take(Status::kBareNewline, text, lf + 1);
    skip_ = Skip::kPoisoned;
    cr_ = false;
    return line;
  }
}

}  // namespace holdfast::smtp
