#include "webd/throttle.h"

#include <algorithm>

namespace holdfast::webd {

base::Seconds Throttle::wait_of(const Table& table, const std::string& key, int free, base::Seconds longest,
                                base::Mono now) {
  const auto found = table.find(key);
  if (found == table.end() || found->second.count < free || now - found->second.last >= kForgotten) {
    return base::Seconds{0};
  }
  const int doublings = std::min(found->second.count - free, 20);
  const auto wait = std::min(longest, base::Seconds{1LL << doublings});
  const auto until = found->second.last + wait;
  return until <= now ? base::Seconds{0} : std::chrono::ceil<base::Seconds>(until - now);
}

base::Seconds Throttle::wait(const std::string& address, const std::string& name, base::Mono now) const {
  return std::max(wait_of(clients_, address, kFreeOfClient, kLongestOfClient, now),
                  wait_of(names_, name, kFreeOfName, kLongestOfName, now));
}

void Throttle::count(Table& table, const std::string& key, base::Mono now) {
  if (!table.contains(key) && table.size() >= kMost) {
    table.erase(std::ranges::min_element(table, {}, [](const auto& entry) { return entry.second.last; }));
  }
  auto& failures = table[key];
  if (now - failures.last >= kForgotten) failures.count = 0;
  ++failures.count;
  failures.last = now;
}

void Throttle::failed(const std::string& address, const std::string& name, base::Mono now) {
  count(clients_, address, now);
  count(names_, name, now);
}

void Throttle::succeeded(const std::string& address, const std::string& name) {
  clients_.erase(address);
  names_.erase(name);
}

}  // namespace holdfast::webd
