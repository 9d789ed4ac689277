// Certificates, keys and passwords on their way from master to a daemon: a sealed memory file, of which the daemon
// gets the descriptor. So root alone need be able to read them on disk, and a reload brings their new content.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/base/file.h"

namespace holdfast::daemon {

// master: what is in these files now; of one that cannot be read, why. Blocks on the disk.
base::Result<base::UniqueFd> pack_files(const std::vector<std::string>& paths);

// The daemon: from now on base::read_handed() knows them, and no others. kData: that is no such file.
base::Status unpack_files(int fd);

}  // namespace holdfast::daemon
