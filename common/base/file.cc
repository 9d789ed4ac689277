#include "common/base/file.h"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::base {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(path, errno);
  std::string out;
  char chunk[65536];
  for (;;) {
    const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(path, errno);
    if (n == 0) return out;
    out.append(chunk, static_cast<std::size_t>(n));
    if (out.size() > limit) return fail(Kind::kData, path + ": longer than expected");
  }
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status pwrite_all(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Status fsync_folder(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno(path, errno);
  if (::fsync(fd.get()) != 0) return fail_errno("fsync " + path, errno);
  return {};
}

Status replace_file(const std::string& path, std::string_view content, unsigned mode) {
  const std::string temporary = path + ".new";
  // A link there would be somebody's trap: root writes into folders that others may write in.
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) return fail_errno(temporary, errno);
  if (auto done = write_all(fd.get(), content); !done) return done;
  if (::fsync(fd.get()) != 0) return fail_errno("fsync " + temporary, errno);
  fd.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("rename " + temporary, errno);
  const auto folder = std::filesystem::path(path).parent_path();
  return fsync_folder(folder.empty() ? "." : folder.string());
}

Status make_folders(const std::string& path, unsigned mode) {
  const auto parent = std::filesystem::path(path).parent_path().string();
  const auto synced = [&] { return fsync_folder(parent.empty() ? "." : parent); };
  if (::mkdir(path.c_str(), mode) == 0) return synced();
  if (errno == EEXIST) return {};
  if (errno != ENOENT || parent.empty() || parent == path) return fail_errno("mkdir " + path, errno);
  if (auto done = make_folders(parent, mode); !done) return done;
  if (::mkdir(path.c_str(), mode) == 0) return synced();
  return errno == EEXIST ? Status() : fail_errno("mkdir " + path, errno);
}

}  // namespace holdfast::base
