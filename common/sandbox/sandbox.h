// The door that a daemon closes behind itself once it has its configuration and its log, and before it starts a thread
// or reads a byte that is not ours (issue 5, item 8; decision 14). Nothing opens it again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace holdfast::sandbox {

// Absolute paths of an installation, as in config::Paths.
struct Folders {
  std::string spool, state, run, log;
};

struct Request {
  std::string_view daemon;              // a row of rights.h
  Folders folders;
  bool unseen = false;                  // no other process of this uid may look into it; no core dump either
};

// To be called by the only thread. What the kernel does not have is told, one line each, and is not an error;
// that a lock which it has cannot be closed is one. A build with sanitizers closes nothing, and says so.
base::Result<std::vector<std::string>> enter(const Request& request);

}  // namespace holdfast::sandbox
