// What is wrong with a configuration, and where.
#pragma once

#include <string>
#include <vector>

namespace holdfast::config {

struct Place {
  std::string file;
  int line = 0;  // from 1; 0: the file as a whole

  std::string text() const;  // "FILE:LINE" or "FILE"
};

class Faults {
 public:
  void error(const Place& place, std::string text);
  void warning(const Place& place, std::string text);

  bool any() const { return !errors_.empty(); }
  std::string text() const;  // all errors, one a line, as they were found
  const std::vector<std::string>& errors() const { return errors_; }
  std::vector<std::string> take_warnings() { return std::move(warnings_); }

 private:
  std::vector<std::string> errors_, warnings_;
};

}  // namespace holdfast::config
