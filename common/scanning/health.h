// Which filters fail, as one process knows it: said once when it begins, and once when it is over.
#pragma once

#include <set>
#include <string>

namespace holdfast::scanning {

class Health {
 public:
  // `fault`: why it failed just now; empty: it works.
  void note(const std::string& filter, const std::string& fault);
  const std::set<std::string>& failing() const { return failing_; }

 private:
  std::set<std::string> failing_;  // by name
};

}  // namespace holdfast::scanning
