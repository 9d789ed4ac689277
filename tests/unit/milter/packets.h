// Packets as a filter writes them and as we should.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/milter/packet.h"

namespace holdfast::milter {

inline std::string packet(char kind, std::string_view data = {}) {
  std::string out;
  append_packet(out, kind, data);
  return out;
}

inline std::string number(std::uint32_t value) {
  std::string out;
  append_number(out, value);
  return out;
}

// "a\0b\0" of {"a", "b"}.
inline std::string texts(std::initializer_list<std::string_view> list) {
  std::string out;
  for (const auto text : list) append_text(out, text);
  return out;
}

using Packets = std::vector<std::pair<char, std::string>>;

inline Packets packets_of(std::string_view bytes) {
  PacketReader reader;
  reader.receive(bytes);
  Packets out;
  while (const auto one = reader.next()) out.emplace_back(one->kind, std::string(one->data));
  return out;
}

}  // namespace holdfast::milter
