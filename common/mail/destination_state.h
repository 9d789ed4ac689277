// The states of a destination, and what a server showed it can do (design.md section 1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::mail {

enum class DestinationState : std::uint8_t { kUp, kDown, kDraining, kPaused };

std::string_view to_text(DestinationState s);  // "up", "down", "draining", "paused"

// Of the last EHLO.
struct Capabilities {
  bool esmtp = false;
  bool pipelining = false;
  bool eightbitmime = false;
  bool smtputf8 = false;
  bool size = false;
  std::uint64_t size_limit = 0;  // 0: offered without a limit
  bool enhanced_status_codes = false;
  bool starttls = false;
  bool chunking = false;
  bool dsn = false;
  bool xclient = false;

  template <class V>
  void fields(V&& v) {
    v(esmtp, pipelining, eightbitmime, smtputf8, size, size_limit, enhanced_status_codes, starttls, chunking, dsn,
      xclient);
  }
  bool operator==(const Capabilities&) const = default;
  std::string text() const;  // "PIPELINING SIZE=10240000 8BITMIME"
};

}  // namespace holdfast::mail
