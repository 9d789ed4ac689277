// The system calls that a daemon may make. Not for other rooms.
#pragma once

#include "common/base/error.h"
#include "common/sandbox/rights.h"

namespace holdfast::sandbox {

// From now on, for all threads of this process and for good: what a daemon never does kills it (exec, ptrace, mount …);
// a call that is merely unknown says ENOSYS, which a libc of later days understands, so that no mail is lost; both are
// in the kernel's log. Sockets are those of `rights`. Sets no_new_privs. kUnavailable: the kernel has no seccomp.
base::Status filter_calls(const Rights& rights);

}  // namespace holdfast::sandbox
