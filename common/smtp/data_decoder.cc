#include "common/smtp/data_decoder.h"

#include "common/smtp/line_ends.h"

namespace holdfast::smtp {

std::optional<std::string_view> DataDecoder::next(std::string_view& in) {
  while (!in.empty() && !ended()) {
    const std::string_view piece = step(in);
    if (!piece.empty()) return piece;
  }
  return std::nullopt;
}

std::string_view DataDecoder::step(std::string_view& in) {
  switch (place_) {
    case Place::kLineStart: return at_line_start(in);
    case Place::kSoftStart: return at_soft_start(in);
    case Place::kText: return text(in);
    case Place::kCr: return after_cr(in);
    case Place::kDot: return after_dot(in);
    case Place::kDotCr: return after_dot_cr(in);
    case Place::kEnded: break;
  }
  return {};
}

std::string_view DataDecoder::give(std::string_view piece, std::size_t stuffing) {
  octets_ += piece.size() - stuffing;
  return bare_newline_ && mode_ == BareNewline::kReject ? std::string_view{} : piece;
}

// As much as stands in `in` just as it is to go out: mostly all of it. `at` is 2 behind a doubled dot, else 0.
std::string_view DataDecoder::text(std::string_view& in, std::size_t at) {
  std::size_t stuffing = at > 0 ? 1 : 0;
  for (;;) {
    at = find_line_end(in, at);
    if (at == in.size()) return give(take(in, at), stuffing);
    if (in[at] == '\n' || at + 1 == in.size() || in[at + 1] != '\n') break;
    at += 2;
    if (at == in.size() || in[at] == '.') {
      const bool doubled = at + 1 < in.size() && in[at + 1] == '.';
      if (!doubled) {
        place_ = Place::kLineStart;
        return give(take(in, at), stuffing);
      }
      at += 2;
      ++stuffing;
    }
  }
  if (in[at] == '\n' && at == 0) {
    take(in, 1);
    return bare_line_end();
  }
  const std::string_view piece = take(in, at);
  if (in.front() == '\r') {
    take(in, 1);
    place_ = Place::kCr;
  }
  return give(piece, stuffing);
}

std::string_view DataDecoder::at_line_start(std::string_view& in) {
  if (in.front() != '.') {
    place_ = Place::kText;
    return text(in);
  }
  if (in.size() > 1 && in[1] == '.') {
    place_ = Place::kText;
    return text(in, 2);
  }
  take(in, 1);
  place_ = Place::kDot;
  return {};
}

std::string_view DataDecoder::at_soft_start(std::string_view& in) {
  place_ = Place::kText;
  if (in.front() != '.') return text(in);
  take(in, 1);
  return give("..", 1);
}

std::string_view DataDecoder::after_dot(std::string_view& in) {
  if (in.front() == '\r') {
    take(in, 1);
    place_ = Place::kDotCr;
    return {};
  }
  place_ = Place::kText;
  if (in.front() != '.') return text(in);  // a dot that was not doubled is dropped
  take(in, 1);
  return give("..", 1);
}

std::string_view DataDecoder::after_dot_cr(std::string_view& in) {
  if (in.front() != '\n') {
    place_ = Place::kCr;  // a lone dot before a bare CR: dropped like any dot that was not doubled
    return after_cr(in);
  }
  take(in, 1);
  place_ = Place::kEnded;
  return {};
}

std::string_view DataDecoder::after_cr(std::string_view& in) {
  if (in.front() != '\n') return bare_line_end();
  take(in, 1);
  place_ = Place::kLineStart;
  return give(kCrLf);
}

std::string_view DataDecoder::bare_line_end() {
  bare_newline_ = true;
  place_ = mode_ == BareNewline::kNormalize ? Place::kSoftStart : Place::kText;
  return give(kCrLf);
}

}  // namespace holdfast::smtp
