#include "common/smtp/chunk_encoder.h"

#include "common/smtp/line_ends.h"

namespace holdfast::smtp {

std::optional<std::string_view> ChunkEncoder::next(std::string_view& in) {
  while (!in.empty()) {
    const std::string_view piece = step(in);
    if (!piece.empty()) return piece;
  }
  return std::nullopt;
}

std::optional<std::string_view> ChunkEncoder::finish() {
  if (place_ == Place::kLineStart) return std::nullopt;
  const std::string_view piece = place_ == Place::kCr ? bare_line_end() : give(kCrLf);
  place_ = Place::kLineStart;
  return piece.empty() ? std::nullopt : std::optional(piece);
}

std::string_view ChunkEncoder::step(std::string_view& in) {
  if (place_ == Place::kCr) {
    if (in.front() != '\n') return bare_line_end();
    take(in, 1);
    place_ = Place::kLineStart;
    return give(kCrLf);
  }
  if (place_ == Place::kText) return text(in);
  place_ = Place::kText;
  if (in.front() != '.') return text(in);
  if (give(".").empty()) return {};
  --octets_;  // it is not the sender's
  return ".";
}

// As much as stands in `in` just as it is to go out: mostly all of it.
std::string_view ChunkEncoder::text(std::string_view& in) {
  std::size_t at = 0;
  for (;;) {
    at = find_line_end(in, at);
    if (at == in.size()) return give(take(in, at));
    if (in[at] == '\n' || at + 1 == in.size() || in[at + 1] != '\n') break;
    at += 2;
    if (at < in.size() && in[at] != '.') continue;
    place_ = Place::kLineStart;
    return give(take(in, at));
  }
  const std::string_view piece = take(in, at);
  if (in.front() == '\r') {
    take(in, 1);
    place_ = Place::kCr;
    return give(piece);
  }
  if (!piece.empty()) return give(piece);  // the LF is next
  take(in, 1);
  return bare_line_end();
}

std::string_view ChunkEncoder::bare_line_end() {
  bare_newline_ = true;
  place_ = Place::kLineStart;
  return give(kCrLf);
}

std::string_view ChunkEncoder::give(std::string_view piece) {
  octets_ += piece.size();
  return bare_newline_ && mode_ == BareNewline::kReject ? std::string_view{} : piece;
}

}  // namespace holdfast::smtp
