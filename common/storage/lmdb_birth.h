// How a database comes into the world. LMDB writes the first two pages of a new file under its final name and does
// not sync them before its first commit: a power cut then leaves a file that nothing can open any more.
#pragma once

#include <string>

#include "common/base/error.h"

namespace holdfast::storage {

// Makes an empty environment in `folder`, which must exist, unless there is one: beside its place, synced, and
// only then renamed to it. What a birth that was cut short has left is removed. For the one that writes it.
base::Status make_database(const std::string& folder);

}  // namespace holdfast::storage
