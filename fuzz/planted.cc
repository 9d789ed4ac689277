// A target that finds what its input asks for: tests/support/test_fuzz_replay.py sees the replay fail by it.
#include <stdexcept>

#include "common/base/panic.h"
#include "fuzz/target.h"

namespace holdfast::fuzz {
namespace {

void run(std::string_view input) {
  if (input == "panic") base::panic("planted");
  if (input == "differs") expect_equal("a", "b", "planted");
  if (input == "throws") throw std::runtime_error("planted");
  if (input == "null") *static_cast<volatile char*>(nullptr) = 'x';
}

[[maybe_unused]] const bool kRegistered = add({"planted", &run});

}  // namespace
}  // namespace holdfast::fuzz
