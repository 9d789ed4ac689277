// Which filters fail, as one process knows it: said once when it begins, and once when it is over. One that has failed so
// often in a row is left alone for a while, so that not every client waits for it in vain; then one client's mail tries it.
// Pure but for what it logs; times are arguments.
#pragma once

#include <map>
#include <string>

#include "common/base/time.h"
#include "common/config/config.h"

namespace holdfast::scanning {

class Health {
 public:
  static constexpr int kFailures = 3;
  static constexpr base::Millis kPause{30'000};

  // `fault`: why it failed just now; empty: it works.
  void note(const std::string& filter, const std::string& fault, base::Mono now);
  // Why it is not to be asked now, which is logged: some mail goes without it. Empty: ask it. Who hears that after a pause is
  // the one who tries: others wait again.
  std::string left_alone(const std::string& filter, base::Mono now);
  // Filters that are no more are forgotten.
  void reload(const config::Config& config);

 private:
  struct Failing {
    int in_row = 0;
    base::Mono until{};  // left alone
  };
  std::map<std::string, Failing> failing_;  // by name
};

}  // namespace holdfast::scanning
