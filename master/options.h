// master's command line.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"

namespace holdfast::master {

struct Options {
  std::string config = "/etc/holdfast/gateway.yaml";
  bool check = false;
  bool help = false;
};

base::Result<Options> parse_options(const std::vector<std::string>& words);
std::string usage();

}  // namespace holdfast::master
