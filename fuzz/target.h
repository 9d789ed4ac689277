// What every fuzz target is made of. A target is a function of bytes that ends the process (base::panic(), a sanitizer)
// when what it tries is at fault. The same function runs under libFuzzer (libfuzzer.cc, `make fuzz`) and over the
// committed inputs in `make check` (replay.cc). It must be deterministic, and leave nothing behind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::fuzz {

struct Target {
  std::string_view name;  // of its folder in fuzz/corpus
  void (*run)(std::string_view input);
};

// To be called before main(), once a target: const bool kRegistered = add({"bdat", &run});
bool add(Target target);
const std::vector<Target>& targets();

// Ends the process, and shows both, if they differ.
void expect_equal(std::string_view found, std::string_view wanted, std::string_view what);

// Takes what a target decides by from the front of its input; zeros when that is used up.
class Input {
 public:
  explicit Input(std::string_view bytes) : left_(bytes) {}

  std::uint8_t byte();
  std::uint16_t word();
  std::uint64_t number();  // a byte that tells how many follow
  std::string_view text(); // a byte that tells its size, at most what is left
  std::string_view take(std::size_t size);
  std::string_view rest() const { return left_; }
  bool empty() const { return left_.empty(); }

 private:
  std::string_view left_;
};

// Cuts bytes into pieces whose sizes follow from a seed: 0 gives single bytes, 255 one piece, others sizes around
// the seed.
class Cutter {
 public:
  explicit Cutter(std::uint8_t seed) : seed_(seed), state_(seed) {}

  // From the front of `bytes`; nothing only if they are used up.
  std::string_view next(std::string_view& bytes);

 private:
  std::uint8_t seed_;
  std::uint32_t state_;
};

// Gives `bytes` to `receive` in pieces, each in memory of its own, so that a view kept too long is seen.
template <class Receive>
void feed(std::string_view bytes, Cutter cutter, Receive&& receive) {
  while (!bytes.empty()) {
    const std::string piece(cutter.next(bytes));
    receive(std::string_view(piece));
  }
}

}  // namespace holdfast::fuzz
