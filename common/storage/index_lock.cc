#include "common/storage/index_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

namespace holdfast::storage {

base::Result<base::UniqueFd> lock_index(const std::string& spool) {
  if (auto made = base::make_folders(spool); !made) return std::unexpected(made.error());
  const std::string path = spool + "/index.lock";
  base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!fd) return base::fail_errno(path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return base::fail(base::Kind::kTemporary, "the queue index is in use by another process (" + path + " is locked)");
  }
  return fd;
}

}  // namespace holdfast::storage
