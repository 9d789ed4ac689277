// What master says to a daemon it starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.h"

namespace holdfast::daemon {

struct Arguments {
  std::string config = "/etc/holdfast/gateway.yaml";
  std::uint32_t worker = 0;
  std::uint32_t workers = 1;
  std::uint32_t writer = 0;
  int ready_fd = -1;
  int life_fd = -1;
  int board_fd = -1;
  int files_fd = -1;
  int stats_fd = -1;
  std::vector<int> listen_fds;
};

// --config FILE --worker N --workers N --writer N --ready-fd FD --life-fd FD --board-fd FD --files-fd FD
// --stats-fd FD --listen-fd FD…; kUsage else.
base::Result<Arguments> parse_arguments(const std::vector<std::string>& words);

}  // namespace holdfast::daemon
