#include "qmgr/ballast.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"

namespace holdfast::qmgr {

Ballast::Ballast(const std::string& spool, std::uint64_t bytes)
    : path_(spool + "/ballast"), folder_(spool), bytes_(bytes) {
  struct stat info {};
  there_ = ::stat(path_.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_blocks) * 512 >= bytes_;
}

void Ballast::look(base::Mono now, const storage::Reserve& reserve) {
  if (there_ || impossible_) return;
  if (released_ != base::Mono{} && now - released_ < kRest) return;
  const auto space = storage::read_space(folder_);
  if (space && storage::accepts(*space, reserve, bytes_)) there_ = make();
}

bool Ballast::make() {
  const base::UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  int failed = fd ? 0 : errno;
  if (fd && ::fallocate(fd.get(), 0, 0, static_cast<off_t>(bytes_)) != 0) failed = errno;
  if (failed == 0) return true;
  ::unlink(path_.c_str());
  impossible_ = failed == EOPNOTSUPP;
  base::log().warning(base::fail_errno("no ballast can be made: " + path_, failed).error().text);
  return false;
}

bool Ballast::release(base::Mono now) {
  released_ = now;
  if (!there_) return false;
  there_ = false;
  return ::unlink(path_.c_str()) == 0;
}

}  // namespace holdfast::qmgr
