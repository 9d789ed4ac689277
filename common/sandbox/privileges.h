// Whom a process runs as, and what is taken from it before it begins. Only master has privileges: it starts each
// daemon without any.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "common/base/error.h"

namespace holdfast::sandbox {

struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
};

// The account of that name, or nothing. Asks the system's name service; blocks.
base::Result<std::optional<Identity>> find_account(const std::string& name);

// For a child between fork and exec; makes nothing but system calls. Afterwards this process has no capability and no
// way to get one (bounding and ambient sets empty, no_new_privs), and no supplementary groups; with `identity` it has
// that uid and gid, thrice. 0, or the errno of what could not be done.
int give_up_privileges(const Identity* identity) noexcept;

}  // namespace holdfast::sandbox
