// Who may write the queue's index: one process at a time, qmgr or `gatewayctl queue rebuild`. The lock is a
// flock on paths.spool/index.lock, beside the index's folder, which a rebuild replaces.
#pragma once

#include <string>

#include "common/base/error.h"
#include "common/base/file.h"

namespace holdfast::storage {

// Held until the descriptor is closed or the process ends. kTemporary while another holds it.
base::Result<base::UniqueFd> lock_index(const std::string& spool);

}  // namespace holdfast::storage
