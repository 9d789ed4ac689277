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

}  // namespace holdfast::mail
