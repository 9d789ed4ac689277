// Packets: a 32-bit length, big-endian, of what follows; a byte that says what it is; its data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::milter {

struct Packet {
  char kind = 0;
  std::string_view data;  // valid until the reader is used again
};

void append_packet(std::string& out, char kind, std::string_view data = {});
void append_number(std::string& data, std::uint32_t value);
void append_text(std::string& data, std::string_view text);  // and its NUL byte

// Packets out of bytes that come in any pieces.
class PacketReader {
 public:
  // A filter answers with 64 KiB of body at a time; what is longer than this, or empty, is no packet.
  static constexpr std::size_t kLongest = 1'100'000;

  void receive(std::string_view bytes);
  std::optional<Packet> next();
  bool broken() const { return broken_; }  // a length that cannot be came; no packet follows

 private:
  std::string buffer_;
  std::size_t used_ = 0;
  bool broken_ = false;
};

// The data of a packet, field by field. After the first that is not there ok() is false.
class Fields {
 public:
  explicit Fields(std::string_view data) : left_(data) {}
  std::uint32_t number();
  std::string_view text();  // up to its NUL byte, which must be there
  bool ok() const { return ok_; }
  bool empty() const { return left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

}  // namespace holdfast::milter
