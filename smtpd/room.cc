#include "smtpd/room.h"

#include <algorithm>

namespace holdfast::smtpd {

void Room::told(const ipc::QueueRoom& room) {
  left_.clear();
  for (const auto& left : room.left) left_.insert_or_assign(left.domain, Left{left.messages, left.bytes});
}

bool Room::fits_in(std::string_view name, std::uint64_t size) const {
  const auto at = left_.find(name);
  return at == left_.end() || (at->second.messages > 0 && at->second.bytes > 0 && at->second.bytes >= size);
}

bool Room::fits(std::string_view domain, std::uint64_t size) const { return fits_in("", size) && fits_in(domain, size); }

bool Room::fits(const std::vector<std::string>& domains, std::uint64_t size) const {
  return fits_in("", size) && std::all_of(domains.begin(), domains.end(), [&](const auto& d) { return fits_in(d, size); });
}

void Room::took(const std::vector<std::string>& domains, std::uint64_t size) {
  const auto take = [&](std::string_view name) {
    const auto at = left_.find(name);
    if (at == left_.end()) return;
    at->second.messages -= std::min<std::uint64_t>(at->second.messages, 1);
    at->second.bytes -= std::min(at->second.bytes, size);
  };
  take("");
  for (const auto& domain : domains) take(domain);
}

}  // namespace holdfast::smtpd
