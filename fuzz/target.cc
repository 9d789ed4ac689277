#include "fuzz/target.h"

#include <algorithm>
#include <cstdio>

#include "common/base/panic.h"
#include "common/base/text.h"

namespace holdfast::fuzz {
namespace {

std::vector<Target>& all() {
  static std::vector<Target> list;
  return list;
}

}  // namespace

bool add(Target target) {
  all().push_back(target);
  return true;
}

const std::vector<Target>& targets() { return all(); }

void expect_equal(std::string_view found, std::string_view wanted, std::string_view what) {
  if (found == wanted) return;
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(found, wanted).in1 - found.begin());
  std::fprintf(stderr, "found:  %s\nwanted: %s\nfrom:   %zu\n", base::printable(found).c_str(),
               base::printable(wanted).c_str(), at);
  base::panic(what);
}

std::string_view Input::take(std::size_t size) {
  const auto out = left_.substr(0, size);
  left_.remove_prefix(out.size());
  return out;
}

std::uint8_t Input::byte() {
  const auto one = take(1);
  return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one[0]);
}

std::uint16_t Input::word() {
  const std::uint8_t low = byte();
  return static_cast<std::uint16_t>(low | byte() << 8);
}

std::uint64_t Input::number() {
  std::uint64_t out = 0;
  for (const char c : take(byte() % 9)) out = out << 8 | static_cast<std::uint8_t>(c);
  return out;
}

std::string_view Input::text() { return take(byte()); }

std::string_view Cutter::next(std::string_view& bytes) {
  std::size_t size = 1;
  if (seed_ == 255) size = bytes.size();
  if (seed_ > 0 && seed_ < 255) {
    state_ = state_ * 1664525U + 1013904223U;
    size = 1 + (state_ >> 16) % (2U * seed_);
  }
  const auto out = bytes.substr(0, size);
  bytes.remove_prefix(out.size());
  return out;
}

}  // namespace holdfast::fuzz
