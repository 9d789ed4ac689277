#include "common/base/ownership.h"

#include <cerrno>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::base {

Status give(const std::string& path, uid_t uid, gid_t gid) {
  if (::geteuid() != 0) return {};
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno == ENOENT ? Status() : fail_errno(path, errno);
  if (info.st_uid == uid && info.st_gid == gid) return {};
  if (::lchown(path.c_str(), uid, gid) != 0 && errno != ENOENT) return fail_errno("chown " + path, errno);
  return {};
}

Status give_tree(const std::string& path, uid_t uid, gid_t gid) {
  if (::geteuid() != 0) return {};
  if (auto given = give(path, uid, gid); !given) return given;
  std::error_code ec;
  if (!std::filesystem::is_directory(std::filesystem::symlink_status(path, ec))) return {};
  std::filesystem::recursive_directory_iterator it(path, ec);
  for (const std::filesystem::recursive_directory_iterator end; !ec && it != end; it.increment(ec)) {
    if (auto given = give(it->path().string(), uid, gid); !given) return given;
  }
  if (ec && ec.value() != ENOENT) return fail_errno(path, ec.value());
  return {};
}

}  // namespace holdfast::base
