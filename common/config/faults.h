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
  // Each text is kept once; after kMost only their number. A file of 100,000 bad lines is one mistake.
  static constexpr std::size_t kMost = 100;

  void error(const Place& place, std::string text);
  void warning(const Place& place, std::string text);

  bool any() const { return errors_.lines.size() > 0; }
  std::string text() const;  // all errors, one a line, as they were found
  std::vector<std::string> take_warnings();

 private:
  struct List {
    std::vector<std::string> lines;
    std::size_t more = 0;

    void add(const Place& place, const std::string& text);
    std::string rest() const;  // "and 7 more", or empty
  };
  List errors_, warnings_;
};

}  // namespace holdfast::config
