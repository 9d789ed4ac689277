// What a pool has seen of a server, as the prober is told of it.
#pragma once

#include <string_view>

#include "common/ipc/messages.h"
#include "common/upstream/pool.h"

namespace holdfast::destination {

ipc::Fact fact_of(std::string_view destination, const upstream::Observation& seen);

}  // namespace holdfast::destination
