// How long a client is waited for: for a whole command, however it trickles in, and for a message's content, which
// may neither take for ever nor come drop by drop. Pure: the time is passed in, once a second or so.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/time.h"

namespace holdfast::smtpd {

class Patience {
 public:
  struct Rules {
    base::Millis command{300'000};
    base::Millis content{1'800'000};
    std::uint64_t min_rate = 0;  // octets a second, over a minute in which anything came; 0: none
  };
  enum class Fault {
    kCommand,  // the next command has not come
    kContent,  // the content has not ended
    kTooSlow,
  };

  // A command, an answer of ours, or anything else from which on the client is waited for anew.
  void begin_command(base::Mono now);
  void begin_content(base::Mono now);
  void content(std::size_t octets) { octets_ += octets; }
  bool in_content() const { return in_content_; }

  std::optional<Fault> look(base::Mono now, const Rules& rules);

 private:
  base::Mono since_{};
  base::Mono minute_{};         // began then
  std::uint64_t octets_ = 0;    // within it
  bool in_content_ = false;
};

}  // namespace holdfast::smtpd
