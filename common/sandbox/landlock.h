// The part of the file system that a daemon may see. Not for other rooms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/sandbox/rights.h"

namespace holdfast::sandbox {

// The version of the kernel's Landlock; 0: it has none, or it is switched off.
int landlock_version();

// The first version that can rename between folders, as qmgr does. Debian 12's kernel has it.
inline constexpr int kLandlockNeeded = 2;

// A file or folder, and what may be done in it and below.
struct Opening {
  std::string path;
  std::uint64_t access = 0;  // of linux/landlock.h
};

// What a right opens, and what every daemon may read of the system.
std::vector<Opening> openings(Place place, Access access, const struct Folders& folders);
std::vector<Opening> system_openings(const Rights& rights, bool root);

// Closes all else, for this thread and those it starts from now on, for good; needs no_new_privs. From version 4 on
// TCP sockets cannot be bound, nor connected where `rights` have no network; from 6 on processes outside cannot be
// signalled. What is not there is left out. kInternal: the kernel refused.
base::Status close_file_system(const std::vector<Opening>& open, const Rights& rights, int version);

}  // namespace holdfast::sandbox
