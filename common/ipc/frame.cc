#include "common/ipc/frame.h"

#include "common/base/bytes.h"

namespace holdfast::ipc {
namespace {

constexpr std::size_t kLengthSize = 4, kTypeSize = 2;

}  // namespace

void append_frame(std::string& out, Type type, std::string_view body) {
  base::Writer w(out);
  w.number(static_cast<std::uint32_t>(body.size() + kTypeSize));
  w.number(static_cast<std::uint16_t>(type));
  out.append(body);
}

void FrameReader::receive(std::string_view bytes) {
  buffer_.erase(0, used_);
  used_ = 0;
  buffer_.append(bytes);
}

base::Result<std::optional<FrameReader::Frame>> FrameReader::next() {
  base::Reader r(std::string_view(buffer_).substr(used_));
  const auto length = r.number<std::uint32_t>();
  if (!r.ok()) return std::nullopt;
  if (length < kTypeSize || length > kMaxFrame) return base::fail(base::Kind::kData, "a frame of impossible length");
  if (length > r.left()) return std::nullopt;
  const auto type = static_cast<Type>(r.number<std::uint16_t>());
  used_ += kLengthSize + length;
  return Frame{type, r.take(length - kTypeSize)};
}

}  // namespace holdfast::ipc
