// Places in a list of the queue that no message marks.
#pragma once

#include <cstdint>
#include <string>

#include "common/storage/queue_index.h"

namespace holdfast::storage {

// The cursor with which QueueIndex::list() of this filter begins at what came at this time or later (milliseconds, wall clock).
std::string cursor_from(const QueueFilter& filter, std::int64_t arrival_ms);

}  // namespace holdfast::storage
