#include "gatewayctl/words.h"

#include <CLI/CLI.hpp>

#include "common/base/text.h"

namespace holdfast::gatewayctl {

const CLI::Validator& counting() {
  static const CLI::Validator out(
      [](const std::string& text) { return base::to_number(text) ? "" : "'" + base::printable(text) + "' is no number of 0 or more"; }, "");
  return out;
}

const CLI::Validator& something() {
  static const CLI::Validator out([](const std::string& text) { return text.empty() ? "it is empty" : ""; }, "");
  return out;
}

void take_verbose(CLI::App& command) {
  command.add_flag_callback("-v", [] {}, "taken for the sake of habit");
}

}  // namespace holdfast::gatewayctl
