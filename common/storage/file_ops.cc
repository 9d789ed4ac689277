#include "common/storage/file_ops.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

namespace holdfast::storage {

base::Result<base::UniqueFd> FileOps::create(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  if (!fd) return base::fail_errno(path, errno);
  return fd;
}

base::Status FileOps::write(int fd, std::string_view bytes, std::uint64_t offset) {
  return base::pwrite_all(fd, bytes, offset);
}

base::Status FileOps::sync_data(int fd) {
  if (::fdatasync(fd) != 0) return base::fail_errno("fdatasync", errno);
  return {};
}

base::Status FileOps::sync(int fd) {
  if (::fsync(fd) != 0) return base::fail_errno("fsync", errno);
  return {};
}

base::Status FileOps::cut(int fd, std::uint64_t length) {
  if (::ftruncate(fd, static_cast<off_t>(length)) != 0) return base::fail_errno("ftruncate", errno);
  return {};
}

base::Status FileOps::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return base::fail_errno("rename " + from, errno);
  return {};
}

base::Status FileOps::sync_folder(const std::string& path) { return base::fsync_folder(path); }

FileOps& real_file_ops() {
  static FileOps ops;
  return ops;
}

}  // namespace holdfast::storage
