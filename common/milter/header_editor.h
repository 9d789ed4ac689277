// The header of a message as filters change it: fields in wire format, all but our own Received field, which stands above
// them and which no filter sees.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/milter/verdict.h"

namespace holdfast::milter {

class HeaderEditor {
 public:
  // `wire` is the header as ContentFeed gave it, whole fields, with or without the empty line behind them.
  explicit HeaderEditor(std::string_view wire);

  // One change of a header field; others are not its matter. With `leading_space` (Terms::leading_space()) the value
  // begins right behind the colon, else a blank stands between. A line of the value that does not begin with a blank gets
  // one: no filter can write a field, or an empty line, that it did not name.
  //   Of several fields of one name kChangeHeader counts those that are there now; behind the last of them it adds one
  // (libmilter's smfi_chgheader). Deleting what is not there changes nothing.
  void apply(const Edit& edit, bool leading_space);

  bool changed() const { return changed_; }
  // In wire format, without the empty line.
  std::string wire() const;

 private:
  struct Line {
    std::string name;  // lower case
    std::string wire;
  };
  static Line make(const Edit& edit, bool leading_space);
  void change(const Edit& edit, bool leading_space);

  std::vector<Line> fields_;
  bool changed_ = false;
};

}  // namespace holdfast::milter
