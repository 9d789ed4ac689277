#include "deliver/record_source.h"

#include <algorithm>

namespace holdfast::deliver {
namespace {

constexpr std::uint64_t kPiece = 64 << 10;

}  // namespace

base::Result<std::string_view> RecordSource::next() {
  const std::uint64_t left = record_.content_size() - position_;
  if (left == 0) return std::string_view{};
  buffer_.resize(std::min(left, kPiece));
  const auto got = record_.read_content(position_, buffer_);
  if (!got) return std::unexpected(got.error());
  if (*got == 0) return base::fail(base::Kind::kData, "the record ends early");
  position_ += *got;
  return std::string_view(buffer_).substr(0, *got);
}

}  // namespace holdfast::deliver
