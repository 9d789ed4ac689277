// Files with one item a line.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/config/faults.h"

namespace holdfast::config {

struct Line {
  std::string text;  // without blanks around it, and without its comment (`#`); never empty
  Place place;
};
// Of a file of 64 MiB at most.
base::Result<std::vector<Line>> read_lines(const std::string& path);

}  // namespace holdfast::config
