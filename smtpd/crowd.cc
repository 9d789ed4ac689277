#include "smtpd/crowd.h"

#include <algorithm>

#include <sys/resource.h>

#include "common/base/memory_reserve.h"

namespace holdfast::smtpd {
namespace {

// Log, spool, two LMDB environments, sockets of the daemons, listeners, the event loop.
constexpr std::size_t kOurs = 64;
constexpr std::size_t kForEach = 2;

// Asked each time: an admin may change it under way (prlimit).
std::size_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::size_t>(limit.rlim_cur) : kOurs;
}

}  // namespace

std::size_t clients_for(std::size_t descriptors) {
  return std::max<std::size_t>(1, descriptors > kOurs ? (descriptors - kOurs) / kForEach : 0);
}

std::size_t most_clients(std::size_t configured) { return std::min(configured, clients_for(descriptor_limit())); }

std::string_view turned_away(std::size_t clients, std::size_t most) {
  if (clients >= most) return kTooMany;
  if (base::short_of_memory() || clients >= clients_for(descriptor_limit())) return kShort;
  return {};
}

}  // namespace holdfast::smtpd
