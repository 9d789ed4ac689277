#include <algorithm>

#include "common/daemon/daemon.h"
#include "filter/check.h"
#include "filter/service.h"

int main(int argc, char** argv) {
  using namespace holdfast;
  filter::bound_memory();
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (std::ranges::find(words, "--check") != words.end()) return filter::check(words);
  return daemon::run(argc, argv, {.name = "filter", .start = filter::Service::start});
}
