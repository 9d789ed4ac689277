// A message's header as it comes in, in wire format and in pieces of any size: what we would say ourselves is taken
// out of a stranger's mail ("X-Holdfast-…" fields), and what bounds a header is counted. The header ends with the
// first empty line, or before the first line that is no field (RFC 5322 section 2.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::mail {

class HeaderGate {
 public:
  // Takes input from the front of `in` and returns the next piece that stays, never empty, a view of `in` or of this
  // object until the next call. Nothing when `in` is used up or the header has ended: then ended() is true and `in` is
  // body, which passes as it is.
  std::optional<std::string_view> next(std::string_view& in);
  // The content has ended, maybe inside the header: what was held back.
  std::optional<std::string_view> finish();

  bool ended() const { return place_ == Place::kBody; }
  std::uint64_t octets() const { return octets_; }  // so far, with what was taken out
  std::uint64_t fields() const { return fields_; }
  std::uint64_t received() const { return received_; }  // Received fields: the hops so far

 private:
  enum class Place { kLineStart, kLine, kBody };
  enum class Kind { kUndecided, kEmpty, kContinuation, kField, kNone };

  static Kind classify(std::string_view line);
  void begin_line(Kind kind, std::string_view line);
  std::size_t line_step(std::string_view in);
  std::optional<std::string_view> held_step(std::string_view& in);

  Place place_ = Place::kLineStart;
  bool dropping_ = false;  // the present field
  bool last_line_ = false;
  std::string held_;  // the beginning of a line whose kind is not known yet
  std::string given_;
  std::uint64_t octets_ = 0, fields_ = 0, received_ = 0;
};

}  // namespace holdfast::mail
