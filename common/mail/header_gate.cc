#include "common/mail/header_gate.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"

namespace holdfast::mail {
namespace {

constexpr std::size_t kMaxFieldName = 256;
constexpr std::string_view kOurs = "X-Holdfast-", kCopy = kCopyField.substr(0, kCopyField.size() - 2);  // its name

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Of a line that is a field.
bool is_named(std::string_view line, std::string_view name) {
  return base::istarts_with(line, name) && (line[name.size()] == ':' || is_blank(line[name.size()]));
}

}  // namespace

// Of a line's beginning, as soon as it can be said: a field is a name of visible characters, maybe blanks, a colon.
HeaderGate::Kind HeaderGate::classify(std::string_view line) {
  if (line.empty() || line == "\r") return Kind::kUndecided;
  if (is_blank(line.front())) return Kind::kContinuation;
  if (line.starts_with("\r\n")) return Kind::kEmpty;
  const auto visible = [](char c) { return c > 32 && c < 127 && c != ':'; };
  const auto name = static_cast<std::size_t>(std::find_if_not(line.begin(), line.end(), visible) - line.begin());
  if (name == 0 || name > kMaxFieldName) return Kind::kNone;
  std::size_t colon = name;
  while (colon < line.size() && colon < kMaxFieldName && is_blank(line[colon])) ++colon;
  if (colon == line.size()) return Kind::kUndecided;
  return line[colon] == ':' ? Kind::kField : Kind::kNone;
}

void HeaderGate::begin_line(Kind kind, std::string_view line) {
  first_ = false;
  place_ = Place::kLine;
  last_line_ = kind == Kind::kEmpty;
  doubtful_ = doubtful_ || kind == Kind::kNone;
  if (kind == Kind::kEmpty || kind == Kind::kNone) dropping_ = false;
  if (kind != Kind::kField) return;
  fields_ += doubtful_ ? 0 : 1;
  dropping_ = base::istarts_with(line, kOurs);
  copy_ = copy_ || is_named(line, kCopy);
  if (is_named(line, "Received")) ++received_;
}

// The rest of the line whose kind is known: how much of `in` it takes.
std::size_t HeaderGate::line_step(std::string_view in) {
  const auto end = in.find('\n');
  const std::size_t taken = end == std::string_view::npos ? in.size() : end + 1;
  octets_ += doubtful_ ? 0 : taken;
  if (end != std::string_view::npos) place_ = last_line_ ? Place::kBody : Place::kLineStart;
  return taken;
}

// A line that began in an earlier piece, until it is known what it is.
std::optional<std::string_view> HeaderGate::held_step(std::string_view& in) {
  Kind kind = Kind::kUndecided;
  while (!in.empty() && kind == Kind::kUndecided) {
    held_ += in.front();
    in.remove_prefix(1);
    kind = classify(held_);
  }
  if (kind == Kind::kUndecided) return std::nullopt;
  given_ = std::exchange(held_, {});
  begin_line(kind, given_);
  line_step(given_);  // it may be a whole one: "\r\n"
  return dropping_ ? std::string_view{} : std::string_view(given_);
}

std::optional<std::string_view> HeaderGate::next(std::string_view& in) {
  while (!in.empty() && !ended()) {
    if (!held_.empty()) {
      const auto piece = held_step(in);
      if (piece && !piece->empty()) return piece;
      continue;
    }
    // As many lines at once as stay.
    std::size_t kept = 0;
    while (kept < in.size() && !ended()) {
      const std::string_view line = in.substr(kept);
      if (place_ == Place::kLineStart) {
        const Kind kind = classify(line);
        if (kind == Kind::kUndecided) break;
        if (kind == Kind::kContinuation && first_) {
          place_ = Place::kBody;
          return "\r\n";
        }
        begin_line(kind, line);
      }
      if (dropping_) break;
      kept += line_step(line);
    }
    if (kept > 0) {
      const std::string_view piece = in.substr(0, kept);
      in.remove_prefix(kept);
      return piece;
    }
    if (ended()) break;
    if (place_ == Place::kLine) {
      in.remove_prefix(line_step(in));
    } else {
      held_ = in;
      in = {};
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> HeaderGate::finish() {
  place_ = Place::kBody;
  given_ = std::exchange(held_, {});
  return given_.empty() ? std::nullopt : std::optional<std::string_view>(given_);
}

}  // namespace holdfast::mail
