#include "common/storage/corrupt.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "common/base/file.h"

namespace holdfast::storage {
namespace {

// The length without the zeros at its end, of which there may be many: the room that a writer had made ahead.
std::uint64_t without_zeros(const Segment& segment, std::uint64_t offset, std::uint64_t length) {
  std::string block;
  std::uint64_t out = 0;
  for (std::uint64_t at = 0; at < length; at += kBlock) {
    block.assign(static_cast<std::size_t>(std::min<std::uint64_t>(length - at, kBlock)), '\0');
    const bool read = segment.read(offset + at, block).has_value();  // what cannot be read may be anything
    if (!read || block.find_first_not_of('\0') != std::string::npos) out = at + block.size();
  }
  return out;
}

base::Status copy(const Segment& segment, std::uint64_t offset, std::uint64_t length, const std::string& path) {
  const base::UniqueFd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!out) return base::fail_errno(path, errno);
  std::string block;
  for (std::uint64_t at = 0; at < length; at += kBlock) {
    block.assign(static_cast<std::size_t>(std::min<std::uint64_t>(length - at, kBlock)), '\0');
    (void)segment.read(offset + at, block);
    if (auto done = base::write_all(out.get(), block); !done) return done;
  }
  return ::fsync(out.get()) == 0 ? base::Status{} : base::fail_errno("fsync " + path, errno);
}

}  // namespace

std::string record_name(SegmentId segment, std::uint64_t offset, mail::QueueId id) {
  return fmt::format("{}-{:X}-{}", segment.file_name(), offset, id.text());
}

base::Result<std::string> set_aside(const std::string& spool, const Segment& segment, std::uint64_t offset,
                                    std::uint64_t length, const std::string& name) {
  const auto size = segment.size();
  if (!size) return std::unexpected(size.error());
  length = offset < *size ? std::min(length, *size - offset) : 0;  // an absurd length costs no disk
  length = without_zeros(segment, offset, length);
  if (length == 0) return std::string();
  const std::string folder = corrupt_folder(spool);
  if (auto done = base::make_folders(folder); !done) return std::unexpected(done.error());
  if (auto done = copy(segment, offset, length, folder + "/" + name); !done) return std::unexpected(done.error());
  if (auto done = base::fsync_folder(folder); !done) return std::unexpected(done.error());
  return name;
}

base::Result<std::string> set_aside(const std::string& spool, const mail::RecordRef& record, mail::QueueId id) {
  const SegmentId segment_id{record.writer, record.segment};
  const auto segment = Segment::open(segments_folder(spool), segment_id);
  if (!segment) return std::unexpected(segment.error());
  return set_aside(spool, **segment, record.offset, record.length, record_name(segment_id, record.offset, id));
}

base::Result<std::string> set_aside(const std::string& spool, const Segment& segment, const Damage& damage) {
  const auto name = damage.id > 0 ? record_name(segment.id(), damage.offset, {damage.id})
                                  : fmt::format("{}-{:X}-blocks", segment.id().file_name(), damage.offset);
  return set_aside(spool, segment, damage.offset, damage.length, name);
}

base::Status move_aside(const std::string& spool, SegmentId id) {
  const std::string folder = corrupt_folder(spool);
  if (auto done = base::make_folders(folder); !done) return done;
  const std::string from = segments_folder(spool) + "/" + id.file_name();
  if (::rename(from.c_str(), (folder + "/" + id.file_name()).c_str()) != 0) {
    return base::fail_errno("rename " + from, errno);
  }
  if (auto done = base::fsync_folder(folder); !done) return done;
  return base::fsync_folder(segments_folder(spool));
}

}  // namespace holdfast::storage
