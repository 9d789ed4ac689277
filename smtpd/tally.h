// What is counted of each client network by all smtpd workers together, in bounded memory (decision 11): how many
// are here now, and how much came within a sliding window. Time is passed in; no clock, no lock, no system call.
//
// Each worker counts in its own part of the board and adds up what all of them have. A count may miss what another
// worker adds in the same microsecond, and the oldest idle ones are forgotten when a part is full: then somebody is
// let in who might have been refused, never the other way round.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "common/base/network.h"
#include "common/base/time.h"
#include "common/daemon/board.h"

namespace holdfast::smtpd {

class Tally {
 public:
  // What is counted, and of whom, as one number.
  using Key = std::uint64_t;
  struct Slot;

  // Begins with an empty part of its own.
  Tally(const daemon::Board& board, std::uint32_t worker, std::uint32_t workers);

  Key key(char kind, const base::Network& network) const;
  Key key(char kind, std::string_view text) const;

  // One more is here. The slot is for leave(); null: too many others are here, it is not counted.
  Slot* enter(Key key, base::Mono now);
  static void leave(Slot* slot);
  std::uint64_t present(Key key) const;

  // A key is always used with the same window.
  void count(Key key, base::Millis window, base::Mono now);
  // Within one window up to now; what falls into the window's older part is estimated.
  std::uint64_t within(Key key, base::Millis window, base::Mono now) const;

 private:
  std::span<Slot> bucket(std::uint32_t worker, Key key) const;
  const Slot* find(std::uint32_t worker, Key key) const;
  Slot* claim(Key key, base::Mono now) const;

  const daemon::Board& board_;
  std::uint32_t worker_, workers_;
};

}  // namespace holdfast::smtpd
