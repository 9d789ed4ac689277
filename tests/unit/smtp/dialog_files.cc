#include "tests/unit/smtp/dialog_files.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <random>
#include <stdexcept>

#include "common/base/file.h"
#include "common/base/text.h"

namespace holdfast::smtp::dialog {
namespace {

bool play_file(const std::string& path, std::uint32_t seed, const Play& play) {
  try {
    const auto text = base::read_file(path);
    if (!text) throw std::runtime_error(text.error().text);
    play(*text, seed);
    return true;
  } catch (const std::exception& e) {
    std::cout << path << " (seed " << seed << "): " << e.what() << "\n";
    return false;
  }
}

}  // namespace

int play_files(std::vector<std::string> arguments, const std::string& folder, const Play& play) {
  std::uint32_t seed = std::random_device()();
  if (arguments.size() >= 2 && arguments[0] == "--seed") {
    seed = static_cast<std::uint32_t>(base::to_number(arguments[1]).value_or(1));
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (arguments.empty()) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".dialog") arguments.push_back(entry.path());
    }
  }
  std::sort(arguments.begin(), arguments.end());
  int failed = 0;
  for (const auto& path : arguments) failed += play_file(path, seed, play) ? 0 : 1;
  std::cout << arguments.size() << " dialogues, " << failed << " failed (seed " << seed << ")\n";
  return failed > 0 || arguments.empty() ? 1 : 0;
}

}  // namespace holdfast::smtp::dialog
