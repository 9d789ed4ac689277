#include "master/options.h"

#include <fmt/core.h>

namespace holdfast::master {

base::Result<Options> parse_options(const std::vector<std::string>& words) {
  Options out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--check") {
      out.check = true;
    } else if (words[i] == "--help" || words[i] == "-h") {
      out.help = true;
    } else if (words[i] == "--config" && i + 1 < words.size()) {
      out.config = words[++i];
    } else if (words[i].starts_with("--config=")) {
      out.config = words[i].substr(9);
    } else if (words[i] == "--config") {
      return base::fail(base::Kind::kUsage, "--config needs a file");
    } else {
      return base::fail(base::Kind::kUsage, fmt::format("unknown argument '{}'", words[i]));
    }
  }
  return out;
}

std::string usage() {
  return "usage: master [--config FILE] [--check]\n"
         "  --config FILE   the configuration, /etc/holdfast/gateway.yaml unless given\n"
         "  --check         say whether it is good, and end\n"
         "SIGHUP reads the configuration again and reopens the logs; SIGTERM and Ctrl-C end the gateway.\n";
}

}  // namespace holdfast::master
