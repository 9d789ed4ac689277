// How much more may be kept before a quota is reached (design.md section 4): qmgr tells after its commits, and what
// this smtpd has spooled since is counted off. So the queue goes over a quota by no more than what all smtpds take
// within one of qmgr's commits, or, while qmgr is dead, by what was left to each of the others.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/ipc/messages.h"

namespace holdfast::smtpd {

class Room {
 public:
  void told(const ipc::QueueRoom& room);
  // Whether one more message of this size (0: not known) for a recipient of this domain, lower case, may be kept.
  bool fits(std::string_view domain, std::uint64_t size) const;
  bool fits(const std::vector<std::string>& domains, std::uint64_t size) const;
  void took(const std::vector<std::string>& domains, std::uint64_t size);

 private:
  struct Left {
    std::uint64_t messages = 0, bytes = 0;
  };
  bool fits_in(std::string_view name, std::uint64_t size) const;

  std::map<std::string, Left, std::less<>> left_;  // what is not in it has no bound; "" is the queue as a whole
};

}  // namespace holdfast::smtpd
