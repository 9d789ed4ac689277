// A message's header as it comes in, in wire format and in pieces of any size: what we would say ourselves is taken
// out of a stranger's mail ("X-Holdfast-…" fields), and what bounds a header is counted.
//
// The header ends with the first empty line (RFC 5322 section 2.1). A line before it that is no field leaves in doubt
// where others see the end: some read what follows as body, some as more fields. From there on size and number count
// no more (it may be a body without a header), but X-Holdfast- fields are still taken out and Received fields counted, so
// that nobody sees one that we have not seen.
//
// A message whose first line begins with a blank would go on with the line in front of it, which is our Received field:
// such a message gets an empty line first (as Postfix does it), and all of it is body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::mail {

// Of an emergency copy (decision 27): the queue id of its original.
inline constexpr std::string_view kCopyField = "X-Holdfast-Copy-Of: ";

class HeaderGate {
 public:
  // Takes input from the front of `in` and returns the next piece that stays, never empty, a view of `in` or of this
  // object until the next call. Nothing when `in` is used up or the header has ended: then ended() is true and `in` is
  // body, which passes as it is.
  std::optional<std::string_view> next(std::string_view& in);
  // The content has ended, maybe inside the header: what was held back.
  std::optional<std::string_view> finish();

  bool ended() const { return place_ == Place::kBody; }
  // So far, up to the first line that is no field; with what was taken out.
  std::uint64_t octets() const { return octets_; }
  std::uint64_t fields() const { return fields_; }
  std::uint64_t received() const { return received_; }  // Received fields: the hops so far
  // It came with the mark of an emergency copy (decision 27), ours or a stranger's: which was taken out.
  bool copy() const { return copy_; }

 private:
  enum class Place { kLineStart, kLine, kBody };
  enum class Kind { kUndecided, kEmpty, kContinuation, kField, kNone };

  static Kind classify(std::string_view line);
  void begin_line(Kind kind, std::string_view line);
  std::size_t line_step(std::string_view in);
  std::optional<std::string_view> held_step(std::string_view& in);

  Place place_ = Place::kLineStart;
  bool dropping_ = false;  // the present field
  bool copy_ = false;
  bool first_ = true;      // no line has begun
  bool doubtful_ = false;  // a line that is no field has come
  bool last_line_ = false;
  std::string held_;  // the beginning of a line whose kind is not known yet
  std::string given_;
  std::uint64_t octets_ = 0, fields_ = 0, received_ = 0;
};

}  // namespace holdfast::mail
