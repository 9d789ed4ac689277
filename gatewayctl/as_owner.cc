#include "gatewayctl/as_owner.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/base/panic.h"

namespace holdfast::gatewayctl {

AsOwnerOf::AsOwnerOf(const std::string& path) {
  struct stat about {};
  if (::geteuid() != 0 || ::stat(path.c_str(), &about) != 0 || about.st_uid == 0) return;
  group_ = ::getegid();
  if (::setegid(about.st_gid) != 0) return;
  changed_ = true;
  if (::seteuid(about.st_uid) != 0) changed_ = ::setegid(group_) != 0;
}

AsOwnerOf::~AsOwnerOf() {
  if (changed_) base::expect(::seteuid(0) == 0 && ::setegid(group_) == 0, "this process cannot be root again");
}

}  // namespace holdfast::gatewayctl
