// What master needs before it starts anything: folders, the lock, sockets, writer numbers.
#pragma once

#include <string>

#include "common/base/error.h"
#include "common/config/config.h"
#include "master/instance.h"
#include "master/listeners.h"
#include "master/writer_number.h"

namespace holdfast::master {

struct Ground {
  Instance instance;
  Listeners listeners;
  WriterNumbers numbers;
  base::UniqueFd board;  // what the smtpd workers share (common/daemon/board.h)
  std::string programs;  // the folder our programs lie in
};

// In this order: folders, the lock, listeners. Nothing is started, and mail is not touched, unless all went well.
base::Result<Ground> prepare(const config::Config& config);

// Descriptors up to what the system allows: a worker serves thousands of clients.
void raise_descriptor_limit();

}  // namespace holdfast::master
