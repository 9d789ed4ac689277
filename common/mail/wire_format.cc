#include "common/mail/wire_format.h"

#include <utility>

namespace holdfast::mail {

std::string from_wire(std::string_view wire) {
  std::string out;
  out.reserve(wire.size());
  while (!wire.empty()) {
    if (wire.front() == '.') wire.remove_prefix(1);
    const auto end = wire.find("\r\n");
    const auto line = wire.substr(0, end == std::string_view::npos ? end : end + 2);
    out += line;
    wire.remove_prefix(line.size());
  }
  return out;
}

std::string WireEncoder::take(std::string_view plain) {
  std::string out;
  out.reserve(plain.size() + plain.size() / 32);
  for (const char c : plain) {
    const bool second_half = after_cr_ && c == '\n';
    after_cr_ = c == '\r';
    if (second_half) continue;  // the CR has ended the line already
    if (c == '\r' || c == '\n') {
      out += "\r\n";
      line_start_ = true;
      continue;
    }
    if (line_start_ && c == '.') out += '.';
    line_start_ = false;
    out += c;
  }
  return out;
}

std::string WireEncoder::finish() {
  after_cr_ = false;
  return std::exchange(line_start_, true) ? std::string() : "\r\n";
}

}  // namespace holdfast::mail
