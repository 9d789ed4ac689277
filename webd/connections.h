// The connections of this process, by the kernel's word: evhttp tells of a connection only when a whole request has come.
// So whoever sends none, or the bytes of one too slowly, is found and ended here, and the number is bounded.
#pragma once

#include <cstddef>
#include <map>
#include <set>

#include <sys/types.h>

#include "common/base/time.h"

namespace holdfast::webd {

class Connections {
 public:
  // `idle`: how long a connection may be without a whole request. Streams and answers under way are as used() says.
  Connections(std::size_t most, base::Seconds idle) : most_(most), idle_(idle) {}

  // A client was accepted. False: they may be too many now, look().
  bool one_more() { return ++guess_ < most_; }
  // A request has come by it, or its answer has gone: while one is under way it is never idle.
  void busy(int fd, bool is_busy);
  // Counts them, and shuts down those that are idle; whether more may come.
  bool look(base::Mono now);
  std::size_t count() const { return guess_; }

 private:
  const std::size_t most_;
  const base::Seconds idle_;
  std::size_t guess_ = 0;
  std::map<ino_t, base::Mono> last_;  // by the socket's inode: a descriptor's number is used again
  std::set<ino_t> used_, busy_;
};

}  // namespace holdfast::webd
