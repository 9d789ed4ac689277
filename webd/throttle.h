// How often a password may be tried: after a few failures a client, and later a name, has to wait, each time longer.
// Pure: time is passed in.
#pragma once

#include <map>
#include <string>

#include "common/base/time.h"

namespace holdfast::webd {

class Throttle {
 public:
  static constexpr int kFreeOfClient = 5, kFreeOfName = 20;       // failures without a wait
  static constexpr base::Seconds kLongestOfClient{900}, kLongestOfName{60};
  static constexpr base::Seconds kForgotten{3600};                // after the last failure
  static constexpr std::size_t kMost = 10'000;                    // clients and names; the oldest goes

  // How long they still have to wait; 0: not at all.
  base::Seconds wait(const std::string& address, const std::string& name, base::Mono now) const;
  void failed(const std::string& address, const std::string& name, base::Mono now);
  void succeeded(const std::string& address, const std::string& name);

 private:
  struct Failures {
    int count = 0;
    base::Mono last{};
  };
  using Table = std::map<std::string, Failures>;
  static base::Seconds wait_of(const Table& table, const std::string& key, int free, base::Seconds longest,
                               base::Mono now);
  static void count(Table& table, const std::string& key, base::Mono now);

  Table clients_, names_;
};

}  // namespace holdfast::webd
