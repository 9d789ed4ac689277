#include "common/milter/content_feed.h"

#include <algorithm>

#include "common/milter/filter_session.h"

namespace holdfast::milter {

namespace {

constexpr std::size_t kForgetAt = 1 << 20;

bool blank(char c) { return c == ' ' || c == '\t'; }

// RFC 5322 section 2.2; blanks before the colon are of old (section 4.5).
std::optional<std::size_t> colon_of(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  std::size_t name = colon;
  while (name > 0 && blank(line[name - 1])) --name;
  const auto printable = [](char c) { return c > ' ' && c <= '~'; };
  if (name == 0 || !std::ranges::all_of(line.substr(0, name), printable)) return {};
  return colon;
}

std::string unfolded(std::string_view lines) {
  std::string out;
  out.reserve(lines.size());
  for (const char c : lines) {
    if (c != '\r') out.push_back(c);
  }
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

}  // namespace

std::optional<Field> parse_field(std::string_view wire) {
  const auto colon = colon_of(wire.substr(0, wire.find("\r\n")));
  if (!colon) return {};
  std::string_view name = wire.substr(0, *colon);
  if (name.starts_with("..")) name.remove_prefix(1);  // a dot doubled on the wire
  while (blank(name.back())) name.remove_suffix(1);
  return Field{std::string(name), unfolded(wire.substr(*colon + 1))};
}

std::optional<ContentPart> ContentFeed::next() {
  switch (place_) {
    case Place::kHeader: return header_step();
    case Place::kBody: return body_step();
    case Place::kDone: return {};
  }
  return {};
}

void ContentFeed::forget(std::size_t count) {
  used_ += count;
  if (used_ == held_.size() || used_ > kForgetAt) {
    held_.erase(0, used_);
    used_ = 0;
  }
}

// Where the field at the front ends: behind the last line that a line without a leading blank follows.
std::optional<std::size_t> ContentFeed::field_end() const {
  const std::string_view left = std::string_view(held_).substr(used_);
  for (std::size_t from = 0;;) {
    const std::size_t end = left.find("\r\n", from);
    if (end == std::string_view::npos) return ended_ ? std::optional(left.size()) : std::nullopt;
    if (end + 2 == left.size()) return ended_ ? std::optional(left.size()) : std::nullopt;
    if (!blank(left[end + 2])) return end + 2;
    from = end + 2;
  }
}

ContentPart ContentFeed::end_header(std::size_t empty_line) {
  body_begins_ += empty_line;
  forget(empty_line);
  place_ = Place::kBody;
  return {Stage::kEndOfHeader, {}, {}};
}

std::optional<ContentPart> ContentFeed::header_step() {
  const std::string_view left = std::string_view(held_).substr(used_);
  if (left.starts_with("\r\n")) return end_header(2);
  if (left.size() < 2 && !ended_) return {};
  if (left.empty()) return end_header(0);
  const auto end = field_end();
  if (!end) return {};
  auto field = blank(left.front()) ? std::nullopt : parse_field(left.substr(0, *end));
  if (!field) return end_header(0);
  body_begins_ += *end;
  forget(*end);
  return ContentPart{Stage::kHeader, std::move(*field), {}};
}

std::optional<ContentPart> ContentFeed::body_step() {
  std::string_view left = std::string_view(held_).substr(used_);
  const std::size_t given = left.size();
  while (!left.empty() && chunk_.size() < FilterSession::kBodyChunk) {
    if (line_start_ && left.front() == '.') {
      left.remove_prefix(1);
      line_start_ = false;
      continue;
    }
    const std::size_t line = left.find('\n');
    const std::size_t most = FilterSession::kBodyChunk - chunk_.size();
    const std::size_t count = std::min({line == std::string_view::npos ? left.size() : line + 1, most, left.size()});
    chunk_.append(left.substr(0, count));
    left.remove_prefix(count);
    line_start_ = chunk_.back() == '\n';
  }
  forget(given - left.size());
  if (chunk_.size() == FilterSession::kBodyChunk || (ended_ && !chunk_.empty())) {
    ContentPart part{Stage::kBody, {}, {}};
    part.chunk.swap(chunk_);
    return part;
  }
  if (!ended_) return {};
  place_ = Place::kDone;
  return ContentPart{Stage::kEndOfMessage, {}, {}};
}

}  // namespace holdfast::milter
