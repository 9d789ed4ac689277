// Content that comes by BDAT (RFC 3030), as content in wire format: dots at line starts doubled, CRLF lines, whatever
// the chunks it came in. Nothing is copied: the pieces that come out are views of the input or of constants. A bare
// CR or LF is what it is in DATA (data_decoder.h): kReject gives no more content, kNormalize makes it CRLF.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/smtp/data_decoder.h"

namespace holdfast::smtp {

class ChunkEncoder {
 public:
  explicit ChunkEncoder(BareNewline mode) : mode_(mode) {}

  // Takes input from the front of `in` and returns the next piece, never empty. Nothing when `in` is used up.
  std::optional<std::string_view> next(std::string_view& in);
  // The end of the last chunk: what is still to be given out, if anything. A last line without CRLF gets one, since
  // nothing but lines can go on by DATA.
  std::optional<std::string_view> finish();

  bool bare_newline() const { return bare_newline_; }
  // Of the content so far, without the dots that stuffing adds.
  std::uint64_t octets() const { return octets_; }

 private:
  enum class Place {
    kLineStart,
    kText,
    kCr,  // CR is taken, and not given out yet
  };

  std::string_view step(std::string_view& in);
  std::string_view text(std::string_view& in);
  std::string_view bare_line_end();
  std::string_view give(std::string_view piece);

  BareNewline mode_;
  Place place_ = Place::kLineStart;
  bool bare_newline_ = false;
  std::uint64_t octets_ = 0;
};

}  // namespace holdfast::smtp
