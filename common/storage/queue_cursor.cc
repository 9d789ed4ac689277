#include "common/storage/queue_cursor.h"

#include "common/storage/queue_tables.h"

namespace holdfast::storage {

using namespace queue_tables;

std::string cursor_from(const QueueFilter& filter, std::int64_t arrival_ms) {
  const auto key = filter.destination.empty() ? arrival_key(arrival_ms, {}) : place_key(filter.destination, {arrival_ms, {}});
  return key.text();
}

}  // namespace holdfast::storage
