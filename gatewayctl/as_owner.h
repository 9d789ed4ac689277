// Files that root makes in the spool must not be root's: the gateway's own user could neither lock nor open them.
#pragma once

#include <string>

#include <sys/types.h>

namespace holdfast::gatewayctl {

// While it lives, this process (root, or nothing happens) acts as the owner and group of `path`.
class AsOwnerOf {
 public:
  explicit AsOwnerOf(const std::string& path);
  ~AsOwnerOf();
  AsOwnerOf(const AsOwnerOf&) = delete;
  AsOwnerOf& operator=(const AsOwnerOf&) = delete;

 private:
  gid_t group_ = 0;
  bool changed_ = false;
};

}  // namespace holdfast::gatewayctl
