// What a connection waits for before its banner: the PROXY header of a load balancer, or the time for which the
// banner is held back. Made only where there is something to wait for.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "common/net/loop.h"

namespace holdfast::smtpd {

struct Opening {
  // `over` is called when `most` has passed; it may destroy the Opening.
  Opening(net::Loop& loop, bool for_header, net::Millis most, std::function<void()> over)
      : awaits_header(for_header), timer(loop, std::move(over)) {
    timer.start(most);
  }

  const bool awaits_header;
  std::string bytes;  // of the header, so far
  net::Timer timer;
};

}  // namespace holdfast::smtpd
