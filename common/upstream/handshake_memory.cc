#include "common/upstream/handshake_memory.h"

#include <algorithm>

namespace holdfast::upstream {

void HandshakeMemory::failed(const std::string& address, base::Mono now) {
  until_[address] = now + kFor;
  if (until_.size() <= kMost) return;
  until_.erase(std::ranges::min_element(until_, {}, [](const auto& item) { return item.second; }));
}

bool HandshakeMemory::fails(const std::string& address, base::Mono now) {
  if (until_.empty()) return false;
  const auto at = until_.find(address);
  if (at == until_.end()) return false;
  if (now < at->second) return true;
  until_.erase(at);
  return false;
}

}  // namespace holdfast::upstream
