// Giving files to another account, which only root can. Without being root these do nothing, and are no error.
// Symbolic links are never followed. Blocks on the disk.
#pragma once

#include <string>

#include <sys/types.h>

#include "common/base/error.h"

namespace holdfast::base {

// `path` itself.
Status give(const std::string& path, uid_t uid, gid_t gid);
// And all below it. What vanishes meanwhile is nobody's.
Status give_tree(const std::string& path, uid_t uid, gid_t gid);

}  // namespace holdfast::base
