// A fuzz target as libFuzzer wants it: one a program.
#include <cstddef>
#include <cstdint>

#include "common/base/panic.h"
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto run = [] {
    holdfast::base::expect(holdfast::fuzz::targets().size() == 1, "one target a program");
    return holdfast::fuzz::targets().front().run;
  }();
  run({reinterpret_cast<const char*>(data), size});
  return 0;
}
