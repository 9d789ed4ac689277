// gatewayctl queue show, queue cat: one message.
#pragma once

#include <string>

#include "gatewayctl/gateway.h"

namespace CLI {
class App;
}

namespace holdfast::gatewayctl {

void add_message_commands(CLI::App& queue, Invocation& invocation);

// Content as it lies in the spool, in pieces, to what a person reads: dots unstuffed, and for a terminal
// CRLF to LF and control characters made harmless. Pure.
class ContentReader {
 public:
  explicit ContentReader(bool for_terminal) : for_terminal_(for_terminal) {}
  std::string take(std::string_view piece);

 private:
  bool for_terminal_;
  bool line_start_ = true;
  unsigned char before_ = 0;
};

}  // namespace holdfast::gatewayctl
