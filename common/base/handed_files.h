// Files that somebody with more rights has read for this process: master reads certificates, keys and passwords as
// root, and daemons that may not open them find them here (decision 14). One set a process; read and replaced by the
// thread of the loop only.
#pragma once

#include <map>
#include <string>

#include "common/base/error.h"

namespace holdfast::base {

// Path as the configuration writes it: the content, or why it could not be read.
using HandedFiles = std::map<std::string, Result<std::string>, std::less<>>;

// In place of those that were handed before.
void hand_over(HandedFiles files);

// The content that was handed over; of a path that was not, read_file(). One longer than `limit` is kData.
Result<std::string> read_handed(const std::string& path, std::size_t limit = 16 << 20);

}  // namespace holdfast::base
