// Starting a program of ours as a child process.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "common/base/error.h"
#include "common/sandbox/privileges.h"

namespace holdfast::master {

// The folder this program was started from: all programs of one build lie in one folder.
base::Result<std::string> program_folder();

// Starts `program` with `arguments` (the first of them after argv[0]). Of our descriptors it gets 0, 1, 2
// and `inherited`, under the same numbers; all others are close-on-exec. Signals are as they were at login. It has no
// privilege left (common/sandbox/privileges.h), and runs as `identity` unless that is nullptr.
base::Result<pid_t> spawn(const std::string& program, const std::vector<std::string>& arguments,
                          const std::vector<int>& inherited, const sandbox::Identity* identity);

}  // namespace holdfast::master
