// Between content in wire format (CRLF lines, dots doubled at line starts, no final "." line) and the plain bytes
// that a person or a file gets.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::mail {

// The plain content: dots at line starts are single again. `wire` is a whole content, or begins at a line
// start.
std::string from_wire(std::string_view wire);

// The way back, piece by piece. A bare CR or LF becomes a line's end: what goes on must be unambiguous for every
// parser (design.md section 5).
class WireEncoder {
 public:
  std::string take(std::string_view plain);
  // Ends the last line, if it has no end.
  std::string finish();

 private:
  bool line_start_ = true;
  bool after_cr_ = false;
};

}  // namespace holdfast::mail
