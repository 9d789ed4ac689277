// What a client sends after 354, as content in wire format: CRLF lines, dot-stuffed, without the final
// "." line, whatever the pieces it came in (RFC 5321 section 4.5.2). Nothing is copied: the pieces that come
// out are views of the input or of constants.
//
// CRLF.CRLF alone ends the content. A bare CR or LF is an ambiguity that smugglers use (design.md
// section 5): kReject reports it and gives no more content, kNormalize makes it CRLF; a dot behind such a
// line end is the sender's own text, never the end, and goes out doubled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::smtp {

enum class BareNewline { kReject, kNormalize };

class DataDecoder {
 public:
  explicit DataDecoder(BareNewline mode) : mode_(mode) {}

  // Takes input from the front of `in` and returns the next piece of content, never empty. Nothing when
  // `in` is used up or the end was found: then ended() is true and `in` begins behind the final dot's CRLF.
  std::optional<std::string_view> next(std::string_view& in);

  bool ended() const { return place_ == Place::kEnded; }
  // A bare CR or LF was met.
  bool bare_newline() const { return bare_newline_; }
  // Of the content so far, without the dots that stuffing adds: what SIZE counts (RFC 1870 section 3).
  std::uint64_t octets() const { return octets_; }

 private:
  // Where the last byte that was taken leaves us. Bytes named here are taken but not given out yet.
  enum class Place {
    kLineStart,  // behind CRLF, or at the beginning
    kSoftStart,  // behind a bare line end that was normalised
    kText,
    kCr,     // CR
    kDot,    // "." at a line start
    kDotCr,  // ".CR" at a line start
    kEnded,
  };

  std::string_view step(std::string_view& in);
  std::string_view text(std::string_view& in, std::size_t at = 0);
  std::string_view at_line_start(std::string_view& in);
  std::string_view at_soft_start(std::string_view& in);
  std::string_view after_dot(std::string_view& in);
  std::string_view after_dot_cr(std::string_view& in);
  std::string_view after_cr(std::string_view& in);
  std::string_view bare_line_end();
  std::string_view give(std::string_view piece, std::size_t stuffing = 0);

  BareNewline mode_;
  Place place_ = Place::kLineStart;
  bool bare_newline_ = false;
  std::uint64_t octets_ = 0;
};

}  // namespace holdfast::smtp
