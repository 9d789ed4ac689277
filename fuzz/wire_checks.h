// What must hold for all that leaves us, whatever came in: each function ends the process where it does not.
#pragma once

#include <cstddef>
#include <string_view>

namespace holdfast::fuzz {

// Whole replies (RFC 5321 section 4.2): lines of at most 512 octets that end in CRLF, a code and a blank or hyphen, one
// code a reply, printable ASCII. Returns how many replies there are.
std::size_t check_replies(std::string_view bytes);
// Content in wire format, whole: empty or CRLF lines, no CR or LF alone, no line that is a single dot.
void check_content(std::string_view content);
// Commands as we send them: CRLF lines of at most `longest` octets, without control characters.
void check_commands(std::string_view bytes, std::size_t longest);

}  // namespace holdfast::fuzz
