#include "fuzz/wire_checks.h"

#include <string>

#include "common/base/panic.h"

namespace holdfast::fuzz {
namespace {

using base::expect;

// The next line without its end.
std::string_view take_line(std::string_view& bytes) {
  const auto end = bytes.find("\r\n");
  expect(end != std::string_view::npos, "a line that does not end in CRLF goes out");
  const auto line = bytes.substr(0, end);
  expect(line.find_first_of("\r\n") == std::string_view::npos, "a bare CR or LF goes out");
  bytes.remove_prefix(end + 2);
  return line;
}

bool printable(std::string_view line, bool utf8) {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 32 && c != '\t') || byte == 127 || (byte > 127 && !utf8)) return false;
  }
  return true;
}

}  // namespace

std::size_t check_replies(std::string_view bytes) {
  std::size_t replies = 0;
  std::string code;
  while (!bytes.empty()) {
    const auto line = take_line(bytes);
    expect(line.size() + 2 <= 512, "a reply line over 512 octets");
    expect(line.size() >= 4 && line[0] >= '2' && line[0] <= '5' && line[1] >= '0' && line[1] <= '9' && line[2] >= '0' &&
               line[2] <= '9' && (line[3] == ' ' || line[3] == '-'),
           "a reply line without code");
    expect(printable(line, false), "a strange byte in a reply");
    expect(code.empty() || code == line.substr(0, 3), "one reply with two codes");
    code = line[3] == '-' ? line.substr(0, 3) : std::string_view{};
    if (code.empty()) ++replies;
  }
  expect(code.empty(), "a reply that does not end");
  return replies;
}

void check_content(std::string_view content) {
  while (!content.empty()) expect(take_line(content) != ".", "content with an end in the middle");
}

void check_commands(std::string_view bytes, std::size_t longest) {
  while (!bytes.empty()) {
    const auto line = take_line(bytes);
    expect(line.size() + 2 <= longest, "a command line too long");
    expect(printable(line, true) && line.find('\t') == std::string_view::npos, "a control character in a command");
  }
}

}  // namespace holdfast::fuzz
