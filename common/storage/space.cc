#include "common/storage/space.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/statvfs.h>

#include "common/base/file.h"

namespace holdfast::storage {
namespace {

constexpr std::uint64_t kMostInodes = 1'000;
constexpr int kMostInodePercent = 10;
constexpr base::Millis kEvery{1000};

std::uint64_t share(std::uint64_t whole, int percent) {
  return whole / 100 * static_cast<std::uint64_t>(percent) + whole % 100 * static_cast<std::uint64_t>(percent) / 100;
}

}  // namespace

int Space::free_percent() const {
  return bytes == 0 ? 0 : static_cast<int>(100.0 * static_cast<double>(free_bytes) / static_cast<double>(bytes));
}

std::uint64_t Reserve::bytes_of(const Space& space) const {
  if (percent == 0) return bytes;
  const auto of_all = share(space.bytes, percent);
  return bytes == 0 ? of_all : std::min(of_all, bytes);
}

std::uint64_t Reserve::inodes_of(const Space& space) const {
  if (percent == 0 && bytes == 0) return 0;
  return std::min(share(space.inodes, std::clamp(percent, 1, kMostInodePercent)), kMostInodes);
}

bool accepts(const Space& space, const Reserve& reserve, std::uint64_t size) {
  if (space.inodes > 0 && (space.free_inodes == 0 || space.free_inodes < reserve.inodes_of(space))) return false;
  const std::uint64_t keep = reserve.bytes_of(space);
  return space.free_bytes > 0 && space.free_bytes >= keep && size <= space.free_bytes - keep;
}

base::Result<Space> read_space(const std::string& folder) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return base::fail_errno(folder, errno);
  return Space{.bytes = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize,
               .free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize,
               .inodes = disk.f_files,
               .free_inodes = disk.f_favail};
}

base::Status try_room(const std::string& folder, std::uint64_t bytes) {
  const base::UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
  if (!fd) return base::fail_errno("make a file in " + folder, errno);
  const std::string piece(64 << 10, 'x');
  for (std::uint64_t done = 0; done < bytes; done += piece.size()) {
    if (auto written = base::pwrite_all(fd.get(), piece, done); !written) return written;
  }
  return {};
}

bool SpaceWatch::accepts(base::Mono now, std::uint64_t size) {
  if (!known_ || now - read_at_ >= kEvery) {
    read_at_ = now;
    const auto read = read_space(folder_);
    known_ = read.has_value();
    if (known_) space_ = *read;
  }
  return !known_ || storage::accepts(space_, reserve_, size);
}

}  // namespace holdfast::storage
