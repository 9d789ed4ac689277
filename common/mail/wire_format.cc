#include "common/mail/wire_format.h"

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

std::string to_wire(std::string_view plain) {
  std::string out;
  out.reserve(plain.size() + plain.size() / 32);
  while (!plain.empty()) {
    const auto end = plain.find('\n');
    std::string_view line = plain.substr(0, end);
    plain.remove_prefix(end == std::string_view::npos ? plain.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('.')) out += '.';
    out += line;
    out += "\r\n";
  }
  return out;
}

}  // namespace holdfast::mail
