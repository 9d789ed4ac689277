#include "common/ipc/connection.h"

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/base/text.h"

namespace holdfast::ipc {
namespace {

// Of a daemon, and more than the settings allow: receivers keep something for each.
constexpr std::uint32_t kMostWorkers = 1024;
constexpr std::size_t kLongestName = 64;

}  // namespace

Connection::Connection(const Hello& self, Events events, bool may_command)
    : events_(std::move(events)), may_command_(may_command) {
  append_frame(early_, Hello::kType, base::encode(self));
}

void Connection::attach(std::unique_ptr<net::Stream> stream) {
  stream_ = std::move(stream);
  stream_->write(early_);
  early_.clear();
}

void Connection::send_frame(Type type, std::string_view body) {
  if (!stream_ || !stream_->open()) return;
  std::string frame;
  append_frame(frame, type, body);
  stream_->write(frame);
}

void Connection::close() {
  if (!stream_ || !stream_->open()) return;
  stream_->close();
  greeted_ = false;  // its owner buries it without telling the handler
  events_.gone();
}

void Connection::on_data(std::string_view bytes) {
  reader_.receive(bytes);
  while (stream_->open()) {
    const auto frame = reader_.next();
    if (!frame) {
      cut(frame.error().text);
      return;
    }
    if (!*frame) return;
    if (!take(**frame)) return;
  }
}

// False: this connection is over, and maybe destroyed.
bool Connection::take(const FrameReader::Frame& frame) {
  if (!greeted_) return take_hello(frame);
  if (events_.message(Incoming{frame.type, frame.body})) return true;
  cut(fmt::format("a message of type {} that cannot be understood", static_cast<int>(frame.type)));
  return false;
}

bool Connection::take_hello(const FrameReader::Frame& frame) {
  const Hello expected;
  auto hello = frame.type == Hello::kType ? base::decode<Hello>(frame.body) : std::nullopt;
  const bool ours = hello && hello->protocol == expected.protocol && hello->version == expected.version;
  if (!ours || hello->worker >= kMostWorkers || hello->name.size() > kLongestName) {
    cut("no hello of this protocol and version");
    return false;
  }
  peer_ = std::move(*hello);
  greeted_ = true;
  events_.peer();
  return true;
}

void Connection::cut(std::string_view why) {
  base::log().warning(fmt::format("connection of {} ended: {}", greeted_ ? base::printable(peer_.name) : "an unknown peer", why));
  stream_->close();
  events_.gone();
}

void Connection::on_end(std::string_view) { events_.gone(); }

}  // namespace holdfast::ipc
