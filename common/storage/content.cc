#include "common/storage/content.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/panic.h"

namespace holdfast::storage {
namespace {

constexpr std::size_t kPiece = 64 << 10;

std::atomic<std::size_t> g_memory{0};

}  // namespace

Content::Content(std::string folder, ContentLimits limits) : folder_(std::move(folder)), limits_(limits) {}

Content::~Content() { release(); }

Content::Content(Content&& other) noexcept
    : folder_(std::move(other.folder_)),
      limits_(other.limits_),
      head_(std::exchange(other.head_, {})),
      body_(std::exchange(other.body_, {})),
      body_size_(std::exchange(other.body_size_, 0)),
      left_out_(std::exchange(other.left_out_, 0)),
      counted_(std::exchange(other.counted_, 0)),
      file_(std::move(other.file_)) {}

Content& Content::operator=(Content&& other) noexcept {
  if (this == &other) return *this;
  release();
  folder_ = std::move(other.folder_);
  limits_ = other.limits_;
  head_ = std::exchange(other.head_, {});
  body_ = std::exchange(other.body_, {});
  body_size_ = std::exchange(other.body_size_, 0);
  left_out_ = std::exchange(other.left_out_, 0);
  counted_ = std::exchange(other.counted_, 0);
  file_ = std::move(other.file_);
  return *this;
}

void Content::release() {
  g_memory -= std::exchange(counted_, 0);
  body_ = {};
}

std::size_t Content::memory_in_use() { return g_memory; }

base::Status Content::append(std::string_view bytes) {
  const bool too_much = body_.size() + bytes.size() > limits_.memory || g_memory + bytes.size() > limits_.process_memory;
  if (!file_ && too_much) {
    if (auto done = spill(); !done) return done;
  }
  if (file_) {
    if (auto done = base::pwrite_all(file_.get(), bytes, body_size_); !done) return done;
  } else {
    body_.append(bytes);
    counted_ += bytes.size();
    g_memory += bytes.size();
  }
  body_size_ += bytes.size();
  return {};
}

base::Status Content::spill() {
  base::UniqueFd fd(::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd) return base::fail_errno("make a file in " + folder_, errno);
  if (auto done = base::pwrite_all(fd.get(), body_, 0); !done) return done;
  file_ = std::move(fd);
  release();
  return {};
}

void Content::replace_front(std::uint64_t bytes, std::string head) {
  base::expect(bytes <= size(), "a front that is longer than the content");
  if (bytes > head_.size()) {
    left_out_ += bytes - head_.size();
  } else {
    head.append(head_, bytes);
  }
  head_ = std::move(head);
}

base::Result<std::string_view> ContentReader::next() {
  if (position_ < content_.head_.size()) {
    const auto piece = std::string_view(content_.head_).substr(position_, kPiece);
    position_ += piece.size();
    return piece;
  }
  const std::uint64_t at = position_ - content_.head_.size() + content_.left_out_;
  if (!content_.file_) {
    const auto piece = std::string_view(content_.body_).substr(at, kPiece);
    position_ += piece.size();
    return piece;
  }
  const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, content_.body_size_ - at));
  buffer_.resize(want);
  std::size_t have = 0;
  while (have < want) {
    const ssize_t n = ::pread(content_.file_.get(), buffer_.data() + have, want - have, static_cast<off_t>(at + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail_errno("read a message's file", errno);
    if (n == 0) return base::fail(base::Kind::kInternal, "a message's file is shorter than what was written");
    have += static_cast<std::size_t>(n);
  }
  position_ += want;
  return std::string_view(buffer_);
}

}  // namespace holdfast::storage
