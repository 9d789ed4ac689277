// What is known of a filter before it is asked: where it listens, and what becomes of mail when it fails.
#pragma once

#include <cstddef>
#include <string>

#include "common/net/address.h"
#include "common/net/loop.h"

namespace holdfast::filtering {

enum class OnFailure {
  kTempfail,  // 451: the sender keeps the mail
  kAccept,    // as if there were no such filter
  kReject,    // 550
};

struct FilterSpec {
  std::string name;  // for logs
  net::SocketAddress address;
  OnFailure on_failure = OnFailure::kTempfail;
  net::Millis connect{30'000};   // until it has answered our offer
  net::Millis command{30'000};   // for a word on connect, HELO, MAIL and RCPT; "in progress" begins it anew
  net::Millis content{300'000};  // likewise, from DATA to the end of the message
  std::size_t longest_body = 64 << 20;  // bytes of a new body it may send; a longer one is a failure
  std::string fault{};           // why it is not asked at all, as if it had failed; empty: it is
};

}  // namespace holdfast::filtering
