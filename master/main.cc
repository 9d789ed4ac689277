// Starts and supervises the gateway: master --config FILE.
#include <cstdio>

#include "master/master.h"
#include "master/options.h"

int main(int argc, char** argv) {
  using namespace holdfast;
  const auto options = master::parse_options({argv + 1, argv + argc});
  if (!options) {
    std::fprintf(stderr, "master: %s\n%s", options.error().text.c_str(), master::usage().c_str());
    return base::exit_code(options.error().kind);
  }
  if (options->help) {
    std::fputs(master::usage().c_str(), stdout);
    return 0;
  }
  return master::run(options->config, options->check);
}
