// Frames on the wire: a 32-bit length (of what follows it), a 16-bit type, the encoded fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.h"
#include "common/ipc/messages.h"

namespace holdfast::ipc {

inline constexpr std::size_t kMaxFrame = 16 << 20;

void append_frame(std::string& out, Type type, std::string_view body);

// Cuts frames out of a stream of bytes, whatever its pieces.
class FrameReader {
 public:
  struct Frame {
    Type type{};
    std::string_view body;  // valid until the next receive()
  };

  void receive(std::string_view bytes);
  // The next whole frame; nothing when more bytes are needed; kData for a length that cannot be.
  base::Result<std::optional<Frame>> next();

 private:
  std::string buffer_;
  std::size_t used_ = 0;
};

}  // namespace holdfast::ipc
