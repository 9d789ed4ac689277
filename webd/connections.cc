#include "webd/connections.h"

#include <sys/socket.h>
#include <sys/stat.h>

namespace holdfast::webd {
namespace {

constexpr int kMostDescriptors = 1024;  // beyond what so many connections and all our files take

// 0: that is no socket.
ino_t inode_of(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode) ? about.st_ino : 0;
}

int option(int fd, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

bool is_client(int fd) {
  const int domain = option(fd, SO_DOMAIN);
  return (domain == AF_INET || domain == AF_INET6) && option(fd, SO_ACCEPTCONN) == 0;
}

}  // namespace

void Connections::busy(int fd, bool is_busy) {
  if (is_busy) {
    busy_.insert(inode_of(fd));
  } else {
    busy_.erase(inode_of(fd));
    used_.insert(inode_of(fd));
  }
}

bool Connections::look(base::Mono now) {
  std::map<ino_t, base::Mono> seen;
  // /proc/self is closed to a process that nobody may look into.
  for (int fd = 3; fd < kMostDescriptors; ++fd) {
    const ino_t inode = inode_of(fd);
    if (inode == 0 || !is_client(fd)) continue;
    const auto known = last_.find(inode);
    const bool fresh = known == last_.end() || used_.contains(inode) || busy_.contains(inode);
    const auto since = fresh ? now : known->second;
    if (now - since >= idle_) ::shutdown(fd, SHUT_RDWR);  // evhttp sees its end, and closes it
    seen.emplace(inode, since);
  }
  std::erase_if(busy_, [&](ino_t inode) { return !seen.contains(inode); });
  used_.clear();
  last_ = std::move(seen);
  guess_ = last_.size();
  return guess_ < most_;
}

}  // namespace holdfast::webd
