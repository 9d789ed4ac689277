#include "common/destination/fact.h"

#include <string>

namespace holdfast::destination {

ipc::Fact fact_of(std::string_view destination, const upstream::Observation& seen) {
  return {.destination = std::string(destination),
          .server = std::string(seen.server),
          .address = std::string(seen.address),
          .ok = seen.ok,
          .stage = seen.stage,
          .code = seen.code,
          .reason = std::string(seen.reason),
          .reused = seen.reused};
}

}  // namespace holdfast::destination
