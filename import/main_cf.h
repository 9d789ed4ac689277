// Postfix's main.cf, or what `postconf -n` prints of it (postconf(5)): names, values, $names in them. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace holdfast::importer {

class MainCf {
 public:
  // kData, with the line, where a line is neither of the two.
  static base::Result<MainCf> parse(std::string_view text);

  bool has(const std::string& name) const { return values_.contains(name); }
  // The names that were given, in the order of the alphabet.
  std::vector<std::string> names() const;

  // With $name, ${name}, $(name), ${name?text}, ${name:text} replaced. One that is not given has Postfix's default, as far as
  // this knows it. kData: a form that this does not know (${{a}==…}), or names that go in a circle.
  base::Result<std::string> value(const std::string& name) const;

 private:
  base::Result<std::string> expand(std::string_view text, int depth) const;
  base::Result<std::string> replace(std::string_view inside, int depth) const;

  std::map<std::string, std::string> values_;
};

// The items of a list: parted by blanks and commas, a {group of them} being one.
std::vector<std::string> postfix_list(std::string_view text);

}  // namespace holdfast::importer
