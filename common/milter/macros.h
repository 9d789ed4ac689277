// What a filter is told about a session beside the commands: named values ("i" is the queue id). Names as on the wire:
// one letter, or more in braces.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/milter/negotiation.h"

namespace holdfast::milter {

class Macros {
 public:
  // A value holds no NUL byte; an empty one takes the macro away.
  void set(std::string_view name, std::string value);
  const std::string* find(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// The data of the packet that goes before a stage's command: the macros that the filter asked for there, or those that
// Sendmail sends by itself, as far as they have a value. Empty: there is none.
std::string macros_for(Stage stage, const Macros& macros, const Terms& terms);

}  // namespace holdfast::milter
