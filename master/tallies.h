// What all daemons have counted since master's start: each process's page, and what those counted that have ended.
// So a daemon's numbers go on rising when it is started anew.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/base/file.h"
#include "common/stats/page.h"
#include "common/stats/sums.h"

namespace holdfast::master {

class Tallies {
 public:
  // The descriptor for the process of that name and worker; stays ours. Made when it is first asked for.
  base::Result<int> page_for(const std::string& daemon, std::uint32_t worker);
  // That process has ended.
  void ended(const std::string& daemon, std::uint32_t worker);
  stats::Sums sums() const;

 private:
  struct Slot {
    base::UniqueFd fd;
    stats::Page page;
  };
  std::map<std::pair<std::string, std::uint32_t>, Slot> slots_;
  stats::Sums before_;  // by those that have ended
};

}  // namespace holdfast::master
