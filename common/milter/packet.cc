#include "common/milter/packet.h"

namespace holdfast::milter {

namespace {

constexpr std::size_t kHead = 4;
constexpr std::size_t kKeepUsed = 65536;

std::uint32_t number_at(std::string_view s) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < kHead; ++i) value = value << 8 | static_cast<unsigned char>(s[i]);
  return value;
}

}  // namespace

void append_number(std::string& data, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) data.push_back(static_cast<char>(value >> shift));
}

void append_text(std::string& data, std::string_view text) {
  data.append(text.substr(0, text.find('\0')));
  data.push_back('\0');
}

void append_packet(std::string& out, char kind, std::string_view data) {
  append_number(out, static_cast<std::uint32_t>(data.size() + 1));
  out.push_back(kind);
  out.append(data);
}

void PacketReader::receive(std::string_view bytes) {
  if (broken_) return;
  if (used_ == buffer_.size() || used_ > kKeepUsed) {
    buffer_.erase(0, used_);
    used_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<Packet> PacketReader::next() {
  const std::string_view left = std::string_view(buffer_).substr(used_);
  if (broken_ || left.size() < kHead) return {};
  const std::size_t length = number_at(left);
  if (length == 0 || length > kLongest) {
    broken_ = true;
    return {};
  }
  if (left.size() - kHead < length) return {};
  used_ += kHead + length;
  return Packet{left[kHead], left.substr(kHead + 1, length - 1)};
}

std::uint32_t Fields::number() {
  if (!ok_ || left_.size() < kHead) {
    ok_ = false;
    return 0;
  }
  const std::uint32_t value = number_at(left_);
  left_.remove_prefix(kHead);
  return value;
}

std::string_view Fields::text() {
  const std::size_t end = left_.find('\0');
  if (!ok_ || end == std::string_view::npos) {
    ok_ = false;
    return {};
  }
  const std::string_view text = left_.substr(0, end);
  left_.remove_prefix(end + 1);
  return text;
}

}  // namespace holdfast::milter
