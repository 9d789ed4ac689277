// From content in wire format (CRLF lines, dots doubled at line starts, no final "." line) to the plain bytes
// that a person or a file gets.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::mail {

// The plain content: dots at line starts are single again. `wire` is a whole content, or begins at a line
// start.
std::string from_wire(std::string_view wire);

}  // namespace holdfast::mail
