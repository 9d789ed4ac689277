// What the players of both halves do alike: which scripts are played, with which seed, and what is said of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::smtp::dialog {

// Plays a script's text; throws std::exception with what is wrong.
using Play = std::function<void(const std::string& text, std::uint32_t seed)>;

// Of the command line: [--seed N] [FILE…]; no FILE: all *.dialog of `folder`. The exit code: 1 too when there are none.
int play_files(std::vector<std::string> arguments, const std::string& folder, const Play& play);

}  // namespace holdfast::smtp::dialog
