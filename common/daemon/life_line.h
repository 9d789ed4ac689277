// The descriptor that ties a daemon to master: one end of a SOCK_SEQPACKET pair, of which master holds the
// other. Its end means that master has died. On it master hands over listening sockets while the daemon runs,
// so that a reload changes them and drops no connection, and what certificates and passwords say after one.
#pragma once

#include <vector>

#include "common/base/error.h"
#include "common/base/file.h"

namespace holdfast::daemon {

// The most that one message carries (the kernel's limit is 253).
inline constexpr std::size_t kMostListeners = 200;

// master: these files are to be read from now on (file_bag.h). As below.
base::Status send_files(int line, int fd);

// master: these are all the listening sockets from now on. Never blocks; kTemporary when the daemon has not
// read what it was sent before.
base::Status send_listeners(int line, const std::vector<int>& fds);

// The daemon: what has come.
struct LifeNews {
  enum class What { kNothing, kGone, kListeners, kFiles } what = What::kNothing;
  std::vector<base::UniqueFd> fds;  // the listeners, or one of file_bag.h
};
LifeNews read_life_line(int line);

}  // namespace holdfast::daemon
