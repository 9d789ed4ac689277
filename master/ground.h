// What master needs before it starts anything: folders, the lock, sockets, writer numbers.
#pragma once

#include <string>

#include "common/base/error.h"
#include "common/config/config.h"
#include "master/instance.h"
#include "master/listeners.h"
#include "master/ownership.h"
#include "master/writer_number.h"

namespace holdfast::master {

// Certificates, keys and passwords as they are now (common/daemon/file_bag.h).
struct Bags {
  base::UniqueFd front;  // smtpd's
  base::UniqueFd roads;  // deliver's and prober's: of servers alone
  base::UniqueFd alerts; // alertd's

  static base::Result<Bags> pack(const config::Config& config);
  // For the daemon of that name; -1: none.
  int of(std::string_view daemon) const;
};

struct Ground {
  Instance instance;
  Listeners listeners;
  WriterNumbers numbers;
  base::UniqueFd board;  // what the smtpd workers share (common/daemon/board.h)
  Bags bags;
  Whom whom;             // the daemons run as
  std::string programs;  // the folder our programs lie in
};

// In this order: folders, the lock, listeners. Nothing is started, and mail is not touched, unless all went well.
base::Result<Ground> prepare(const config::Config& config);

// Descriptors up to what the system allows: a worker serves thousands of clients.
void raise_descriptor_limit();

}  // namespace holdfast::master
